-- The shapes that pass between the functions of the house. Each is made once: a type that was made anew would be
-- another one to every live connection. A shape that has to change gets a migration that alters it.

do $$
begin
  -- JSON as it is sent: a body of this type PostgREST hands on (a media type handler, since PostgREST 12); any other
  -- it aggregates into an array, to take the one element out again by parsing all of it.
  if to_regtype('api."application/json"') is null then
    create domain api."application/json" as json;
  end if;

  -- One rule that forbids something, and the facts that failed. Its status and words stand in rules.violation_catalog.
  if to_regtype('rules.violation') is null then
    create type rules.violation as (
      rule   text,
      facts  jsonb
    );
  end if;

  -- Who makes a change, why, and through which channel: what each of its history rows says besides the change itself.
  if to_regtype('rules.change_context') is null then
    create type rules.change_context as (
      actor_id      text,     -- user:…, agent:… or system:…
      channel       text,     -- api, slack, nlp_relay, cron, event_webhook or psql
      reason        text,
      triggered_by  text,     -- the event behind it
      on_behalf_of  text,     -- recorded; gives no right
      trigger_type  text,     -- null: follows from who and how, as rules.trigger_type says
      external_id   text,     -- the caller's key
      payload       jsonb,    -- the caller's facts
      override      boolean,  -- an admin's move past the transitions
      rolls_back    bigint    -- the history row that this change takes back
    );
  end if;

  -- What this system keeps of a client. It names our columns and none of the host's, whatever they are.
  if to_regtype('rules.client_state') is null then
    create type rules.client_state as (
      id                   bigint,
      version              bigint,
      stage                text,
      stage_entered_at     timestamptz,
      returning_to_stage   text,
      flags                text[],
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

  -- What the rules of a move may look at, and nothing else: clients that are alike in it are judged once, however many
  -- they are. A rule that needs another fact adds it here, and every batch tells clients apart by it.
  if to_regtype('rules.facts') is null then
    create type rules.facts as (
      client_id           bigint,   -- null where it makes no difference which client it is (rules.tells_apart)
      stage               text,
      returning_to_stage  text,
      active              boolean,
      service_tier        text,
      eligible_reviewers  text[]
    );
  end if;

  -- A change of one client. Its versions are not in it: they are given when it is recorded.
  if to_regtype('rules.change') is null then
    create type rules.change as (
      context  rules.change_context,
      before   rules.client_state,  -- null: a new client
      after    rules.client_state
    );
  end if;

  -- One row of history, as a change makes it.
  if to_regtype('rules.history_row') is null then
    create type rules.history_row as (
      client_id          bigint,
      version            bigint,
      from_stage         text,
      to_stage           text,
      from_entered_at    timestamptz,
      from_returning_to  text,
      flag_added         text,
      flag_removed       text,
      actor_type         text,
      actor_id           text,
      channel            text,
      on_behalf_of       text,
      triggered_by       text,
      trigger_type       text,
      reason             text,
      payload            jsonb,
      external_id        text
    );
  end if;

  -- One item of set_stages: a change that is asked for, its key, and its outcome as far as it is known.
  if to_regtype('rules.move_item') is null then
    create type rules.move_item as (
      index             bigint,                -- its place in the call, from 0
      client_id         bigint,
      to_stage          text,
      expected_version  bigint,
      context           rules.change_context,
      request           jsonb,                 -- what its key stands for; null without a key
      outcome           jsonb                  -- its answer or its error; null while it is still to be made
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
