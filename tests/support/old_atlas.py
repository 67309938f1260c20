"""An Atlas database as it was before the stage system: 52 clients, nine migrations."""

from __future__ import annotations

import psycopg

CLIENTS = 52

_TABLES = """
create table clients (
  id bigserial primary key,
  name text not null,
  slug text not null unique,
  notes text,
  gdrive_folder text
);
create table atlas_migrations (
  id text primary key,
  applied_at timestamptz not null default now(),
  note text
);
"""

_NAMES = (
    "Bäckerei Grün & Söhne",
    "Łódź Import Sp. z o.o.",
    "東京会計事務所",
    "Café Ñandú — Señor O'Brien",
    "ООО «Ромашка»",
    "مكتبة النور",
    "Smile 😀 Dental",
    "Zoe\u0301's Flowers",  # a combining accent
    'He said "cash; only" \\ %s',
)

_MIGRATIONS = (
    "001_init",
    "002_clients",
    "003_projects",
    "004_triage",
    "005_ingest",
    "006_meds",
    "007_kade",
    "008_rounds",
    "009_kade_tasks",
)


def make_old_atlas(dsn: str) -> None:
    """Fill an empty database with the old Atlas."""
    with psycopg.connect(dsn) as connection:
        connection.execute(_TABLES)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into clients (name, slug, notes, gdrive_folder) values (%s, %s, %s, %s)",
                [
                    (
                        _NAMES[number] if number < len(_NAMES) else f"Client {number}",
                        f"client-{number}",
                        None if number % 3 == 0 else f"Notes of {number}\nin two lines",
                        None if number % 2 == 0 else f"https://drive.example/{number}",
                    )
                    for number in range(CLIENTS)
                ],
            )
            cursor.executemany(
                "insert into atlas_migrations (id, note) values (%s, %s)",
                [(name, "before the stage system") for name in _MIGRATIONS],
            )


def read_as_before(dsn: str) -> list[tuple[object, ...]]:
    """What a program reads that knows the five old columns only."""
    with psycopg.connect(dsn) as connection:
        return connection.execute("select id, name, slug, notes, gdrive_folder from clients order by id").fetchall()
