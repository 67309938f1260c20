-- A row of rules.shown_clients as JSON, made of a client at hand and the SLA of its stage.
-- SQL, so that it becomes part of the statement that returns the client.
create or replace function rules.shown_client(
  client public.clients,
  sla    public.stage_sla
)
returns json
language sql
stable
as $$
  select row_to_json(row(
    client.*,
    rules.age_days(client.stage_entered_at),
    rules.attention(client.flags, client.stage_entered_at, sla.max_days, sla.waiting_flags)
  )::rules.shown_clients)
$$;
