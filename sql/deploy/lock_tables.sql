-- Lock the tables whose triggers are re-created, against writers only.
-- Other sessions lock these tables in any order. To avoid a deadlock, wait for the first table only, and try the others
-- without waiting; if one is locked, release all and start again. The last attempt waits for all.
do $$
declare
  v_attempts constant integer := 60;
  v_table    record;
  v_waits    boolean;
begin
  for v_attempt in 1 .. v_attempts loop
    begin
      for v_table in
        select row_number() over (order by c.relname, n.nspname) as place, n.nspname, c.relname
        from pg_catalog.pg_trigger as t
        inner join pg_catalog.pg_proc as p on t.tgfoid = p.oid
        inner join pg_catalog.pg_class as c on t.tgrelid = c.oid
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
        group by n.nspname, c.relname
        order by 1
      loop
        v_waits := v_table.place = 1 or v_attempt = v_attempts;
        execute format(
          'lock table %I.%I in share row exclusive mode %s',
          v_table.nspname, v_table.relname, case when not v_waits then 'nowait' end
        );
      end loop;
      return;
    exception
      when lock_not_available then
        if v_waits then
          raise;
        end if;
        perform pg_sleep(0.05);
    end;
  end loop;
end
$$;
