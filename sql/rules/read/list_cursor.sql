-- The cursor of the page that follows this client. Apart from the lists, so that it keeps its plan.
create or replace function rules.list_cursor(
  client_id bigint,
  sort      text
)
returns text
language plpgsql
stable
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
begin
  return (
    select round(extract(epoch from c.stage_entered_at + case
      when sort = 'sla' then coalesce(s.max_days, 36500) * interval '24 hours' else interval '0'
    end) * 1000000)::bigint || '.' || c.id
    from public.clients c
    join public.stages s on s.stage = c.stage
    where c.id = list_cursor.client_id
  );
end
$$;
