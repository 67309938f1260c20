-- An error came out of the writing of `clients`. The rules were asked before, so it is from a constraint or a trigger
-- of the host's: say which, and what it said. What we do not know we do not name. It returns where a rule said no
-- itself, or the server is in trouble; that is for the caller to raise again.
create or replace function rules.refuse_as_host(
  state           text,   -- the error's SQLSTATE, message, and where they are known its constraint and table
  said            text,
  constraint_name text,
  table_name      text,
  facts           jsonb default '{}'
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  -- 25006: the server only reads
  if left(state, 2) in ('PT', '53', '57', '58', 'XX') or state = '25006' then
    return;
  elsif state in ('40P01', '55P03') then
    perform rules.refuse('client_locked', facts);
  elsif constraint_name = 'stage_history_external_id_uniq' then
    -- the key's first answer is gone, and history remembers the key
    perform rules.refuse('idempotency_key_reused', facts);
  elsif left(state, 2) = '23' and constraint_name <> '' then
    perform rules.refuse(
      case
        when state = '23505' and exists (
          select
          from pg_catalog.pg_constraint k
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
          where k.conrelid = 'public.clients'::regclass and k.conname = constraint_name and a.attname = 'slug'
        ) then 'slug_taken'
        else 'host_constraint'
      end,
      jsonb_build_object('constraint', constraint_name, 'table', table_name) || facts
    );
  end if;
  perform rules.refuse('host_trigger_failed', jsonb_build_object(
    'said', left(said, 2000), 'sqlstate', state,
    -- the triggers on `clients` that are not ours, by name
    'triggers', (
        select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]')
      from pg_catalog.pg_trigger t
      join pg_catalog.pg_proc p on p.oid = t.tgfoid
      where t.tgrelid = 'public.clients'::regclass
        and not t.tgisinternal
        and p.pronamespace <> 'rules'::regnamespace
    
    )
  ) || facts);
end
$$;
