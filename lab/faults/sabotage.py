"""Rules broken on purpose, to show that the checker sees it: what no program can do by the product's own ways."""

_UNGUARDED = """
drop index public.stage_history_external_id_uniq;
alter table public.stage_history
  drop constraint stage_history_client_version_uniq cascade,
  disable trigger all;
alter table public.clients disable trigger all;
"""


def _spoil(statements: str) -> str:
    """Do this to the row `spoilt`: the newest move of the client with the longest history."""
    return f"""{_UNGUARDED}
        do $$ declare spoilt bigint; twice public.stage_history; begin
          select id into spoilt from public.stage_history
          where to_stage is not null and external_id is not null order by version desc limit 1;
          {statements}
        end $$;
    """


BEFORE = {
    # A key that was used before is not looked for: what is sent again is done again.
    "idempotency": """
        drop index public.stage_history_external_id_uniq;
        create or replace function rules.earlier_answer(
          context rules.change_context, request jsonb, out answer json, out violations rules.violation[]
        ) language sql volatile as $$ select null::json, null::rules.violation[] $$;
    """,
}
AFTERWARDS = {
    "lost_row": _spoil("delete from public.stage_history where id = spoilt;"),
    "double_row": _spoil("""
          select * into twice from public.stage_history where id = spoilt;
          twice.id := nextval('public.stage_history_id_seq');
          insert into public.stage_history select twice.*;
    """),
    "edited_row": _spoil(
        "update public.stage_history set to_stage = 'offboarding', close_period = null where id = spoilt;"
    ),
    "foreign_row": _spoil("update public.stage_history set external_id = 'nobody' where id = spoilt;"),
    "client_taken_back": f"""
        {_UNGUARDED}
        update public.clients set version = version - 1 where version > 1;
    """,
    "older_backup": f"""
        {_UNGUARDED}
        update public.clients set version = version - 5 where version > 5;
        delete from public.stage_history h using public.clients c where c.id = h.client_id and h.version > c.version;
    """,
}
# What of a verdict has to say so.
SEEN_AS = {
    "idempotency": "contradicted",
    "lost_row": "lost",
    "double_row": "duplicated",
    "edited_row": "lost",
    "foreign_row": "unknown",
    "client_taken_back": "not_replayed",
    "older_backup": "vanished",
}
