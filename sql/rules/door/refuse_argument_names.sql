-- Refuse a call for the names of its arguments: one is in the path too, the function doesn't have
-- it, or one is missing.
create or replace function rules.refuse_argument_names(
  said     jsonb,
  by_path  jsonb,
  in_query boolean,   -- said has the texts of a query
  names    text[],
  required text[]
)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_known constant text[] := array(
    select n.name from unnest(names) as n (name) where (by_path ? n.name) is not true
  );
  v_name text := (select min(s.name) from jsonb_object_keys(said - v_known) as s (name));
begin
  if v_name is not null then
    perform rules.refuse(
      case
        when in_query and by_path ? v_name then 'argument_twice'
        else 'unknown_argument'
      end,
      jsonb_build_object('argument', left(v_name, 200), 'known', v_known)
    );
  end if;
  v_name := (select min(r.name) from unnest(required) as r (name) where not said ? r.name);
  perform rules.refuse('argument_missing', jsonb_build_object(
    'argument', v_name, 'required', required
  ));
end
$$;
