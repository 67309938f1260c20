-- Remove the stored logic and the policies of its owner roles.
do $$
declare
  v_table text;
begin
  drop schema if exists ops, jobs, api, rules cascade;
  for v_table in
    select p.polrelid::regclass::text from pg_catalog.pg_policy as p where p.polname = 'atlas_stage'
  loop
    execute format('drop policy atlas_stage on %s', v_table);
  end loop;
  delete from public.stage_deploys where part = 'stored_logic';
  notify pgrst, 'reload schema';
end
$$;
