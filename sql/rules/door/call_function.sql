-- Call a function of `api` with the arguments of a request. rules.write_calls, the last step of a deploy, writes the functions
-- that there are into this body; what is made afterwards goes the way that is here.
create or replace function rules.call_function(
  called  text,
  said    jsonb,  -- the arguments of the body or query
  by_path jsonb,  -- those of the path, as texts; null: no path of the plan
  body    bytea   -- null: said has the texts of a query
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  return rules.call_new_function(called, said, by_path, body);
end
$$;
