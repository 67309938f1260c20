-- The shapes that functions pass to each other. Each type is created where it is absent: a re-created type would be a
-- different one to every live connection. A migration alters a type that has to change.

do $$
begin
  -- PostgREST passes a body of this type on unchanged (a media type handler, since version 12). It
  -- wraps any other return type in json_agg and parses it back.
  if to_regtype('api."application/json"') is null then
    create domain api."application/json" as json;
  end if;

  -- One rule that forbids a change, and the facts that failed. rules.violation_catalog has its status and words.
  if to_regtype('rules.violation') is null then
    create type rules.violation as (
      rule   text,
      facts  jsonb
    );
  end if;

  -- What every history row of a change says besides the change: the actor, the reason and the channel.
  if to_regtype('rules.change_context') is null then
    create type rules.change_context as (
      actor_id      text,     -- user:…, agent:… or system:…
      channel       text,     -- api, slack, nlp_relay, cron, event_webhook or psql
      reason        text,
      triggered_by  text,     -- the event that caused the change
      on_behalf_of  text,     -- recorded; gives no right
      trigger_type  text,     -- null: record_changes derives it from actor and channel
      external_id   text,     -- the caller's idempotency key
      payload       jsonb,    -- the caller's facts
      override      boolean,  -- an admin's move past the transitions
      rolls_back    bigint    -- the history row that this change rolls back
    );
  end if;

  -- The fields of a client besides its stage and flags, as history names them. To add a field: a column of `clients`, a
  -- line here, and a line in rules.state_of, rules.field_catalog, write_clients and write_new_client.
  if to_regtype('rules.client_fields') is null then
    create type rules.client_fields as (
      stage_owner          text,
      stage_collaborators  text[],
      stage_notes          text,
      service_tier         text,
      close_cadence        text,
      sales_tax_schedule   text,
      eligible_reviewers   text[],
      active               boolean
    );
  end if;

  -- What this system keeps of a client: our columns, none of the host's.
  if to_regtype('rules.client_state') is null then
    create type rules.client_state as (
      id                   bigint,
      version              bigint,
      stage                text,
      stage_entered_at     timestamptz,
      returning_to_stage   text,
      flags                text[],
      fields               rules.client_fields
    );
  end if;

  -- Everything a rule may look at. Evaluators get the actor and these facts, and nothing else of the client, so clients
  -- with equal facts are judged once. A rule that needs another fact adds it here and in rules.facts_of.
  if to_regtype('rules.facts') is null then
    create type rules.facts as (
      stage               text,
      returning_to_stage  text,
      active              boolean,
      service_tier        text,
      eligible_reviewers  text[],
      handed_over_by      text,     -- in eom_review: the actor that moved the client there; null elsewhere
      listed_in           bigint[]  -- the actor's grants whose scope lists this client by its id
    );
  end if;

  -- A change of one client, ready to be written.
  if to_regtype('rules.change') is null then
    create type rules.change as (
      context  rules.change_context,
      before   rules.client_state,  -- null: a new client
      after    rules.client_state   -- with the version that the client will have
    );
  end if;

  -- A requested change of one client. Each step of a change adds what it found; a batch is an array of items.
  if to_regtype('rules.item') is null then
    create type rules.item as (
      -- open
      place             bigint,               -- in the call, from 0
      client_id         bigint,
      action            text,                 -- move, set, clear or update
      word              text,                 -- the stage or the flag
      fields            rules.client_fields,  -- of an update: the new values; null keeps a value
      clear             text[],               -- of an update: the fields to empty
      expected_version  bigint,               -- null: any
      context           rules.change_context,
      -- lock
      before            rules.client_state,
      after             rules.client_state,   -- null: nothing would change
      is_locked         boolean,
      -- evaluate
      is_evaluated      boolean,              -- null: refused when it was opened
      violations        rules.violation[],    -- null: no rule forbids it
      -- answer
      answer            json                  -- null until it is answered
    );
  end if;

  -- The filters, the order and the cursor of a list of clients. A filter that is null doesn't restrict.
  if to_regtype('rules.client_filter') is null then
    create type rules.client_filter as (
      ids           bigint[],
      stages        text[],
      flag          text,
      owner         text,
      unowned       boolean,
      entered_by    timestamptz,  -- entered the stage at this time or before
      stuck         boolean,
      attention     text,         -- stuck, waiting_on_client or none
      service_tier  text,
      active        boolean,
      search        text,
      words         tsquery,      -- of the search: for the index
      common_words  tsquery,      -- of the search: most clients have them
      sort          text,         -- id, age or sla
      after_key     timestamptz,
      after_id      bigint
    );
  end if;

  -- A kind of change that a job makes, of the clients that it is to be made of.
  if to_regtype('jobs.step') is null then
    create type jobs.step as (
      action        text,     -- move, set or clear; name: only to be named in the run's counts
      word          text,     -- the stage, the flag, or what they are named as
      period        text,     -- of what is done once a period
      reason        text,
      trigger_type  text,     -- null: as of any job
      client_ids    bigint[]
    );
  end if;

  -- One thing that is wrong with this installation, as every check answers it.
  if to_regtype('ops.finding') is null then
    create type ops.finding as (
      finding   text,   -- its stable code: the name of the check
      severity  text,   -- error: something does not work or cannot be trusted; warning: it soon will not; notice: good to know
      facts     jsonb,  -- an object: what a program needs to know of it
      what      text,   -- what is wrong, in a sentence
      todo      text    -- what to do about it
    );
  end if;
end
$$;

comment on domain api."application/json" is 'JSON that PostgREST sends as it is.';
