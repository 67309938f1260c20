-- A CHECK of `clients` said no to one of these words; it alone knows which are known.
create or replace function rules.refuse_unknown_value(
  tier     text,
  cadence  text,
  schedule text
)
returns void
language plpgsql
stable
as $$
begin
  perform rules.refuse('unknown_value', jsonb_build_object(
    'given', jsonb_strip_nulls(jsonb_build_object(
      'tier', left(tier, 200), 'cadence', left(cadence, 200), 'schedule', left(schedule, 200)
    )),
    'checks', (
      select jsonb_object_agg(c.conname, pg_get_constraintdef(c.oid))
      from pg_constraint c
      where c.conrelid = 'public.clients'::regclass
        and c.conname in (
          'clients_service_tier_check', 'clients_close_cadence_check', 'clients_sales_tax_schedule_check'
        )
    )
  ));
end
$$;
