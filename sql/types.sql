-- The types that functions pass to each other. A type is only created if it is missing: live connections keep using the
-- old one after it is dropped and re-created. To change a type, write a migration that alters it.

do $$
begin
  -- PostgREST passes a body of this type on unchanged (a media type handler, since version 12). It wraps any other
  -- return type in json_agg and parses it back.
  if to_regtype('api."application/json"') is null then
    create domain api."application/json" as json;
  end if;

  -- One rule that forbids a change, and the facts that it failed on. rules.violation_catalog has its status and texts.
  if to_regtype('rules.violation') is null then
    create type rules.violation as (
      rule   text,
      facts  jsonb
    );
  end if;

  -- The context of a change, which each of its history rows repeats: the actor, the reason, the channel and so on.
  if to_regtype('rules.change_context') is null then
    create type rules.change_context as (
      actor_id      text,     -- user:…, agent:… or system:…
      channel       text,     -- api, slack, nlp_relay, cron, event_webhook or psql
      reason        text,
      triggered_by  text,     -- the event that caused the change
      on_behalf_of  text,     -- the person it is made for; decides only with can_act_for
      trigger_type  text,     -- null: write_history derives it from actor and channel
      external_id   text,     -- the caller's idempotency key
      payload       jsonb,    -- the caller's facts
      override      boolean,  -- an admin's move past the transitions
      rolls_back    bigint,   -- the history row that this change rolls back
      batch         uuid      -- the call that the change is part of, if it changes many clients
    );
  end if;

  -- The fields of a client besides its stage and flags, as history calls them. CONTRIBUTING.md has the recipe for a new
  -- field.
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

  -- The columns of a client that this package maintains; none of the host's.
  if to_regtype('rules.client_state') is null then
    create type rules.client_state as (
      id                   bigint,
      version              bigint,
      stage                text,
      stage_entered_at     timestamptz,
      returning_to_stage   text,
      flags                text[],
      fields               rules.client_fields,
      close_period         text         -- the month that is being closed, YYYY-MM
    );
  end if;

  -- Every fact that a rule can use. Evaluators get the actor and these facts, and nothing else of the client, so
  -- clients with equal facts are judged once. A rule that needs another fact adds it here and in rules.facts_of.
  if to_regtype('rules.facts') is null then
    create type rules.facts as (
      stage               text,
      returning_to_stage  text,
      active              boolean,
      service_tier        text,
      eligible_reviewers  text[],
      handed_over_by      text[],   -- in eom_review: the people of the hand-over that counts; null elsewhere
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

  -- A requested change of one client. Each step of a change adds its results; a batch is an array of items.
  if to_regtype('rules.item') is null then
    create type rules.item as (
      -- open
      place             bigint,               -- position in the call, from 0
      client_id         bigint,
      action            text,                 -- move, set, clear or update
      word              text,                 -- the stage or flag
      fields            rules.client_fields,  -- of an update: the new values; null keeps a value
      clear             text[],               -- of an update: the fields to empty
      expected_version  bigint,               -- null: any
      context           rules.change_context,
      -- lock
      before            rules.client_state,
      after             rules.client_state,   -- null: nothing would change
      is_locked         boolean,
      -- evaluate
      is_evaluated      boolean,              -- null: refused by the open step
      violations        rules.violation[],    -- null: no rule forbids it
      -- answer
      answer            json,                 -- null: not answered yet
      -- open
      close_period      text                  -- of a move into a close: the month that was requested; null: the default
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
      attention     text,         -- stuck, late, waiting_on_client or none
      service_tier  text,
      active        boolean,
      search        text,
      words         tsquery,      -- of the search; looked up in the index
      common_words  tsquery,      -- of the search; most clients match, so checked per row
      sort          text,         -- id, age or sla
      after_key     timestamptz,
      after_id      bigint
    );
  end if;

  -- One kind of change that a job makes, and the clients that need it.
  if to_regtype('jobs.step') is null then
    create type jobs.step as (
      action        text,     -- move, set, clear or give_back; name: change nothing, only list the clients in the counts
      word          text,     -- the stage or flag; for give_back: the id of the cover; for name: the key in the counts
      period        text,     -- the month of a close; for flags: the period in which the change is made once
      reason        text,
      trigger_type  text,     -- null: the default of jobs
      client_ids    bigint[]
    );
  end if;

  -- One thing that is wrong with this installation: what a check returns.
  if to_regtype('ops.finding') is null then
    create type ops.finding as (
      finding   text,   -- its stable code: nearly always the name of the check
      severity  text,   -- error: broken or can't be trusted; warning: will break soon; notice: information
      facts     jsonb,  -- an object: the same facts for a program
      what      text,   -- what is wrong, in a sentence
      todo      text    -- what to do about it
    );
  end if;

  -- One aspect of one of our objects in the catalog, as ops.installation returns it.
  if to_regtype('ops.installed') is null then
    create type ops.installed as (
      kind      text,
      name      text,
      aspect    text,
      value     text,
      relation  text,     -- the table that it belongs to; null: none
      mend      text,     -- the statement that makes it again; null: the files do
      ours      boolean,
      words     text[]
    );
  end if;

  -- An error that a trial ran into: GET STACKED DIAGNOSTICS.
  if to_regtype('ops.trial_error') is null then
    create type ops.trial_error as (
      way              text,   -- the way in, and what it tried
      step             text,
      state            text,
      message          text,
      detail           text,
      context          text,
      constraint_name  text,
      table_name       text,
      column_name      text,
      type_name        text
    );
  end if;
end
$$;

comment on domain api."application/json" is 'JSON that PostgREST sends unchanged.';
