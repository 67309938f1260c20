"""What history in partitions by client would cost or give: the same rows in one table and in 16, without our triggers.

    python lab/bench/partitions.py [--rows 2000000]

A storage experiment for docs/scaling.md; the product keeps one table. Ratios of rounds that are done in turn.
"""

import statistics
import time

import psycopg
from house import start, throwaway
from psycopg import sql

_ROUNDS = 7
_CALLS = 300
_VERSIONS = 20

# A unique index of a partitioned table has to hold the partition key: of ours that is (client_id, version) only.
_TABLES = """
create table one (like public.stage_history including defaults including constraints);
create table many (like public.stage_history including defaults including constraints) partition by hash (client_id);
do $$ begin for n in 0..15 loop
  execute format('create table many_%s partition of many for values with (modulus 16, remainder %s)', n, n);
end loop; end $$;
"""
_INDEXES = """
create unique index on {table} (client_id, version);
create index on {table} (id);
create index on {table} (client_id, occurred_at desc);
create index on {table} (epoch, xid, id);
create index on {table} (actor_id, epoch, xid, id);
analyze {table};
"""
_FILL = """
insert into {table} (id, client_id, to_stage, actor_type, actor_id, channel, trigger_type, version, epoch)
select n, n / {versions} + 1, 'weekly', 'human', 'user:jimmie', 'api', 'manual', n % {versions}, 0
from generate_series(1, {rows}) as n
"""
_STATEMENTS = {
    "a row more": """
        insert into {table} (client_id, to_stage, actor_type, actor_id, channel, trigger_type, version, epoch)
        values (%(client)s, 'weekly', 'human', 'user:jimmie', 'api', 'manual', %(fresh)s, 0)""",
    "newest 20 of a client": "select * from {table} where client_id = %(client)s order by version desc limit 20",
    "a page of 100 of the feed": """
        select * from {table} where (epoch, xid, id) > (0, '0', %(client)s) order by epoch, xid, id limit 100""",
}


def main(rows: int = 2_000_000) -> None:
    """Measure and print."""
    with throwaway() as server, psycopg.connect(server.dsn, autocommit=True) as db:
        db.execute("set synchronous_commit = off")
        db.execute(_TABLES)
        for table in ("one", "many"):
            names = {"table": sql.Identifier(table), "versions": sql.Literal(_VERSIONS)}
            db.execute(sql.SQL(_FILL).format(**names, rows=sql.Literal(rows)))
            for statement in _INDEXES.split(";")[:-1]:
                db.execute(sql.SQL(statement).format(**names))
        db.execute("vacuum analyze")
        for name, statement in _STATEMENTS.items():
            print(f"{name:28}{_compared(db, statement, rows)}")


def _compared(db: psycopg.Connection, statement: str, rows: int) -> str:
    pairs = [
        tuple(_microseconds(db, statement, table, rows, round_) for table in ("one", "many"))
        for round_ in range(_ROUNDS)
    ]
    one, many = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(parts / whole for whole, parts in pairs)
    return f"one table {one:6.0f} µs, 16 partitions {many:6.0f} µs: {ratio:.2f} times"


def _microseconds(db: psycopg.Connection, statement: str, table: str, rows: int, round_: int) -> float:
    query = sql.SQL(statement).format(table=sql.Identifier(table))
    clients = [1 + number * 7919 % (rows // _VERSIONS) for number in range(_CALLS)]
    began = time.perf_counter()
    for client in clients:
        db.execute(query, {"client": client, "fresh": 1000 + round_}, prepare=True)
    return (time.perf_counter() - began) * 1e6 / _CALLS


if __name__ == "__main__":
    start(main)
