-- Whether a new client is one that a program wrote which knows Atlas's own columns only: everything else is as
-- `clients` has it by default.
create or replace function rules.is_plain_client(client rules.client_state)
returns boolean
language sql
immutable
as $$
  select client.stage = 'weekly'
    and client.flags = '{}'
    and client.stage_owner is null
    and client.stage_collaborators = '{}'
    and client.stage_notes is null
    and rules.has_default_agreement(client)
$$;
