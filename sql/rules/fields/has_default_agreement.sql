-- Whether a client's agreement with the firm is the one that the columns of `clients` default to.
create or replace function rules.has_default_agreement(client rules.client_state)
returns boolean
language sql
immutable
as $$
  select client.service_tier = 'recurring_only'
    and client.close_cadence = 'monthly'
    and client.sales_tax_schedule = 'none'
    and client.eligible_reviewers is null
    and client.active
$$;
