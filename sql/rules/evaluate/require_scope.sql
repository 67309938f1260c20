-- Refuse a scope that can't be granted. Valid are null, and an object of known keys, each an array of words (clients:
-- of ids).
create or replace function rules.require_scope(
  permission text,
  scope      jsonb
)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_known   text[] := '{from,to,flags,clients,service_tiers}';
  v_key     text;
  v_allowed jsonb;
begin
  if scope is null then
    return;
  end if;
  if permission = 'can_act_for' then
    v_known := v_known || 'actors'::text;
  end if;
  if not rules.is_small_json(scope, 100000) then
    perform rules.refuse('scope_not_valid', jsonb_build_object('expected', 'at most 100,000 bytes, numbers of at most 40 digits'));
  end if;
  if jsonb_typeof(scope) <> 'object' or scope = '{}' then
    perform rules.refuse('scope_not_valid', jsonb_build_object('expected', 'an object with at least one key, or null'));
  end if;

  for v_key, v_allowed in select key, value from jsonb_each(scope) loop
    if v_key <> all (v_known) then
      perform rules.refuse('unknown_scope_key', jsonb_build_object(
        'scope_key', left(v_key, 200), 'known', v_known
      ));
    end if;
    if jsonb_typeof(v_allowed) <> 'array'
      or exists (
        select
        from jsonb_array_elements(v_allowed) as element (value)
        where jsonb_typeof(value) <> case v_key when 'clients' then 'number' else 'string' end
          or (v_key = 'actors' and value #>> '{}' !~ '^(user|agent):[^[:space:][:cntrl:]]+$')
      )
    then
      perform rules.refuse('scope_not_valid', jsonb_build_object(
        'scope_key', v_key,
        'expected', case v_key
          when 'clients' then 'an array of client ids'
          when 'actors' then 'an array of people and agents: user:… or agent:…'
          else 'an array of words'
        end
      ));
    end if;
  end loop;
end
$$;
