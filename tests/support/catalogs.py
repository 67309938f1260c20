"""What a database looks like, as text: two databases with the same schema give the same lines."""

from __future__ import annotations

import psycopg

# Each query gives one line a thing. Physical column order and oids are left out on purpose:
# an upgraded table has had a different life than a fresh one.
_QUERIES = {
    "column": """
        select format('%s.%s.%s %s%s default %s identity %s | %s',
                      n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      case when a.attnotnull then ' not null' else '' end,
                      pg_get_expr(d.adbin, d.adrelid), a.attidentity,
                      col_description(c.oid, a.attnum))
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v', 'p')""",
    "relation": """
        select format('%s.%s kind %s owner %s acl %s options %s | %s',
                      n.nspname, c.relname, c.relkind, c.relowner::regrole,
                      (select array_agg(acl::text order by acl::text) from unnest(coalesce(c.relacl, acldefault(
                                 case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) acl),
                      c.reloptions, obj_description(c.oid, 'pg_class'))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace""",
    "constraint": """
        select format('%s %s %s | %s', c.conrelid::regclass, c.conname,
                      pg_get_constraintdef(c.oid), c.convalidated)
        from pg_constraint c join pg_namespace n on n.oid = c.connamespace""",
    "index": """
        select pg_get_indexdef(c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'i'""",
    "trigger": """
        select format('%s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled)
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        where not t.tgisinternal""",
    "function": """
        select format('%s owner %s acl %s | %s | %s', p.oid::regprocedure, p.proowner::regrole,
                      p.proacl, obj_description(p.oid, 'pg_proc'), pg_get_functiondef(p.oid))
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where p.prokind in ('f', 'p')""",
    "type": """
        select format('%s %s %s', t.oid::regtype, t.typtype, t.typowner::regrole)
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typtype in ('d', 'e', 'r')""",
    "schema": """
        select format('%s owner %s acl %s | %s', n.nspname, n.nspowner::regrole, n.nspacl,
                      obj_description(n.oid, 'pg_namespace'))
        from pg_namespace n""",
}

_OURS = "n.nspname in ('public', 'rules', 'api', 'jobs', 'ops')"


def schema_lines(dsn: str) -> list[str]:
    """The whole schema: columns, constraints, indexes, triggers, functions, grants, comments."""
    lines = []
    with psycopg.connect(dsn) as connection:
        for kind, query in _QUERIES.items():
            word = "and" if " where " in " ".join(query.split()) else "where"
            rows = connection.execute(f"{query} {word} {_OURS}").fetchall()
            # yoyo's own tables are not ours to compare
            lines += [f"{kind}: {row[0]}" for row in rows if "yoyo" not in str(row[0])]
    return sorted(lines)
