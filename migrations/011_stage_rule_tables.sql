-- depends: 010_client_stage_taxonomy

-- What a firm may want to change is a row, not code.

create table public.stages (
  stage          text    not null,
  position       integer not null,
  kind           text    not null,
  max_days       integer,
  waiting_flags  text[]  not null default '{client_blocking}',
  description    text    not null,
  constraint stages_pkey primary key (stage),
  constraint stages_position_uniq unique (position),
  constraint stages_kind_check check (kind in (
    'work',    -- the books are being worked on
    'review',  -- the work is being checked
    'pause',   -- no work; the client returns to its earlier stage
    'exit'     -- the client leaves
  )),
  constraint stages_max_days_check check (max_days > 0),
  constraint stages_max_days_limit_check check (max_days <= 3650),
  constraint stages_waiting_flags_check check (
    array_position(waiting_flags, null) is null
    and 'stuck' <> all(waiting_flags)  -- being stuck must not be a reason not to be stuck
  )
);
comment on table public.stages is 'The stages: their order, their kind, and how long a client may be in each.';
comment on column public.stages.position is 'The order from left to right wherever stages are shown.';
comment on column public.stages.kind is 'work, review, pause or exit: decides which rules apply to the stage.';
comment on column public.stages.max_days is 'Days (24 hours each) after which a client is stuck; null: no limit.';
comment on column public.stages.waiting_flags is
  'A client over its limit that carries one of these flags is waiting, not stuck.';

insert into public.stages (stage, position, kind, max_days, description) values
  ('onboarding', 1, 'work', 30, 'Set-up of a new client'),
  ('cleanup', 2, 'work', 45, 'Old books are put right'),
  ('weekly', 3, 'work', null, 'The ordinary week'),
  ('eom_close', 4, 'work', 10, 'The month is being closed'),
  ('eom_review', 5, 'review', 3, 'The close waits for its sign-off'),
  ('paused_client', 6, 'pause', 30, 'Paused by the client'),
  ('paused_internal', 7, 'pause', 14, 'Paused by the firm'),
  ('offboarding', 8, 'exit', 30, 'Leaving');

create table public.stage_transitions (
  from_stage  text not null,
  to_stage    text not null,
  permission  text not null,
  note        text,
  constraint stage_transitions_pkey primary key (from_stage, to_stage),
  constraint stage_transitions_from_stage_fkey foreign key (from_stage) references public.stages (stage),
  constraint stage_transitions_to_stage_fkey foreign key (to_stage) references public.stages (stage),
  constraint stage_transitions_differ_check check (from_stage <> to_stage),
  constraint stage_transitions_permission_check check (permission in (
    'can_set_stage', 'can_sign_off_eom_review', 'can_offboard'
  ))
);
create index stage_transitions_to_stage_idx on public.stage_transitions (to_stage);
comment on table public.stage_transitions is
  'The allowed moves and the permission that each needs. A resume must also lead to returning_to_stage.';

insert into public.stage_transitions (from_stage, to_stage, permission, note) values
  ('onboarding', 'cleanup', 'can_set_stage', 'old books need work first'),
  ('onboarding', 'weekly', 'can_set_stage', 'books are in order'),
  ('cleanup', 'weekly', 'can_set_stage', 'books are in order'),
  ('weekly', 'eom_close', 'can_set_stage', 'the month ends'),
  ('weekly', 'cleanup', 'can_set_stage', 'books need work again'),
  ('eom_close', 'eom_review', 'can_set_stage', 'the close is ready for review'),
  ('eom_review', 'weekly', 'can_sign_off_eom_review', 'signed off'),
  ('eom_review', 'eom_close', 'can_sign_off_eom_review', 'sent back'),
  ('paused_client', 'paused_internal', 'can_set_stage', 'the other pause'),
  ('paused_internal', 'paused_client', 'can_set_stage', 'the other pause'),
  ('paused_client', 'offboarding', 'can_offboard', 'the client leaves'),
  ('paused_internal', 'offboarding', 'can_offboard', 'the client leaves');

insert into public.stage_transitions (from_stage, to_stage, permission, note)
select working.stage, leaving.stage, leaving.permission, leaving.note
from unnest(array['onboarding', 'cleanup', 'weekly', 'eom_close', 'eom_review']) as working (stage)
cross join (values
  ('paused_client', 'can_set_stage', 'paused by the client'),
  ('paused_internal', 'can_set_stage', 'paused by the firm'),
  ('offboarding', 'can_offboard', 'the client leaves')
) as leaving (stage, permission, note);

insert into public.stage_transitions (from_stage, to_stage, permission, note)
select paused.stage, working.stage, 'can_set_stage', 'resume, when it is the stage to return to'
from unnest(array['paused_client', 'paused_internal']) as paused (stage)
cross join unnest(array['onboarding', 'cleanup', 'weekly', 'eom_close', 'eom_review']) as working (stage);

create table public.stage_flags (
  flag         text   not null,
  description  text   not null,
  set_by       text[] not null,
  constraint stage_flags_pkey primary key (flag),
  constraint stage_flags_flag_check check (flag ~ '^[a-z][a-z0-9_]{0,59}$'),
  constraint stage_flags_description_check check (description ~ '[^[:space:]]' and length(description) <= 200),
  constraint stage_flags_set_by_check check (cardinality(set_by) > 0 and array_position(set_by, null) is null),
  constraint stage_flags_set_by_words_check check (
    array_to_string(set_by, ' ', '?') ~ '^[a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*$'
  )
);
comment on table public.stage_flags is 'The flags, and the actors that may set and clear each of them.';
comment on column public.stage_flags.set_by is
  '`anyone` or `human` with can_set_flag, or names of jobs (each acts as system:cron:<job>).';

insert into public.stage_flags (flag, description, set_by) values
  ('client_blocking', 'We wait for the client', '{anyone}'),
  ('advisory_due', 'An advisory talk is due', '{anyone}'),
  ('sales_tax_due', 'A sales-tax filing is due; cleared by a person when filed', '{flag_sales_tax_due,human}'),
  ('stuck', 'Longer in its stage than the SLA allows', '{stage_stuck_detector}'),
  ('season_year_end', 'Year end, 1 Dec to 15 Jan', '{flag_seasonal}'),
  ('season_1099', '1099 forms, 1 to 31 Jan', '{flag_seasonal}'),
  ('season_tax', 'Tax season, 1 Feb to 15 Apr', '{flag_seasonal}');

create table public.stage_seasons (
  flag        text    not null,
  from_month  integer not null,
  from_day    integer not null,
  to_month    integer not null,
  to_day      integer not null,
  constraint stage_seasons_pkey primary key (flag),
  constraint stage_seasons_flag_fkey foreign key (flag) references public.stage_flags (flag),
  constraint stage_seasons_flag_check check (flag <> 'stuck'),
  -- 2024 is a leap year, so every day that exists passes; make_date raises an error for any other
  constraint stage_seasons_from_check check (make_date(2024, from_month, from_day) is not null),
  constraint stage_seasons_to_check check (make_date(2024, to_month, to_day) is not null)
);
comment on table public.stage_seasons is
  'When a seasonal flag is on, first and last day included. A season may cross the end of the year.';

insert into public.stage_seasons (flag, from_month, from_day, to_month, to_day) values
  ('season_year_end', 12, 1, 1, 15),
  ('season_1099', 1, 1, 1, 31),
  ('season_tax', 2, 1, 4, 15);

create table public.business_holidays (
  day   date not null,
  name  text not null,
  constraint business_holidays_pkey primary key (day),
  constraint business_holidays_day_check check (day between '2000-01-01' and '2199-12-31'),
  constraint business_holidays_name_check check (name ~ '[^[:space:]]' and length(name) <= 200)
);
comment on table public.business_holidays is
  'Days besides weekends on which the firm is closed: US federal holidays and the days on which they are observed.';

insert into public.business_holidays (day, name) values
  ('2025-01-01', 'New Year''s Day'),
  ('2025-01-20', 'Martin Luther King Jr. Day'),
  ('2025-02-17', 'Washington''s Birthday'),
  ('2025-05-26', 'Memorial Day'),
  ('2025-06-19', 'Juneteenth National Independence Day'),
  ('2025-07-04', 'Independence Day'),
  ('2025-09-01', 'Labor Day'),
  ('2025-10-13', 'Columbus Day'),
  ('2025-11-11', 'Veterans Day'),
  ('2025-11-27', 'Thanksgiving Day'),
  ('2025-12-25', 'Christmas Day'),
  ('2026-01-01', 'New Year''s Day'),
  ('2026-01-19', 'Martin Luther King Jr. Day'),
  ('2026-02-16', 'Washington''s Birthday'),
  ('2026-05-25', 'Memorial Day'),
  ('2026-06-19', 'Juneteenth National Independence Day'),
  ('2026-07-03', 'Independence Day (observed)'),
  ('2026-07-04', 'Independence Day'),
  ('2026-09-07', 'Labor Day'),
  ('2026-10-12', 'Columbus Day'),
  ('2026-11-11', 'Veterans Day'),
  ('2026-11-26', 'Thanksgiving Day'),
  ('2026-12-25', 'Christmas Day'),
  ('2027-01-01', 'New Year''s Day'),
  ('2027-01-18', 'Martin Luther King Jr. Day'),
  ('2027-02-15', 'Washington''s Birthday'),
  ('2027-05-31', 'Memorial Day'),
  ('2027-06-18', 'Juneteenth National Independence Day (observed)'),
  ('2027-06-19', 'Juneteenth National Independence Day'),
  ('2027-07-04', 'Independence Day'),
  ('2027-07-05', 'Independence Day (observed)'),
  ('2027-09-06', 'Labor Day'),
  ('2027-10-11', 'Columbus Day'),
  ('2027-11-11', 'Veterans Day'),
  ('2027-11-25', 'Thanksgiving Day'),
  ('2027-12-24', 'Christmas Day (observed)'),
  ('2027-12-25', 'Christmas Day'),
  ('2027-12-31', 'New Year''s Day (observed)'),
  ('2028-01-01', 'New Year''s Day'),
  ('2028-01-17', 'Martin Luther King Jr. Day'),
  ('2028-02-21', 'Washington''s Birthday'),
  ('2028-05-29', 'Memorial Day'),
  ('2028-06-19', 'Juneteenth National Independence Day'),
  ('2028-07-04', 'Independence Day'),
  ('2028-09-04', 'Labor Day'),
  ('2028-10-09', 'Columbus Day'),
  ('2028-11-10', 'Veterans Day (observed)'),
  ('2028-11-11', 'Veterans Day'),
  ('2028-11-23', 'Thanksgiving Day'),
  ('2028-12-25', 'Christmas Day'),
  ('2029-01-01', 'New Year''s Day'),
  ('2029-01-15', 'Martin Luther King Jr. Day'),
  ('2029-02-19', 'Washington''s Birthday'),
  ('2029-05-28', 'Memorial Day'),
  ('2029-06-19', 'Juneteenth National Independence Day'),
  ('2029-07-04', 'Independence Day'),
  ('2029-09-03', 'Labor Day'),
  ('2029-10-08', 'Columbus Day'),
  ('2029-11-11', 'Veterans Day'),
  ('2029-11-12', 'Veterans Day (observed)'),
  ('2029-11-22', 'Thanksgiving Day'),
  ('2029-12-25', 'Christmas Day'),
  ('2030-01-01', 'New Year''s Day'),
  ('2030-01-21', 'Martin Luther King Jr. Day'),
  ('2030-02-18', 'Washington''s Birthday'),
  ('2030-05-27', 'Memorial Day'),
  ('2030-06-19', 'Juneteenth National Independence Day'),
  ('2030-07-04', 'Independence Day'),
  ('2030-09-02', 'Labor Day'),
  ('2030-10-14', 'Columbus Day'),
  ('2030-11-11', 'Veterans Day'),
  ('2030-11-28', 'Thanksgiving Day'),
  ('2030-12-25', 'Christmas Day'),
  ('2031-01-01', 'New Year''s Day'),
  ('2031-01-20', 'Martin Luther King Jr. Day'),
  ('2031-02-17', 'Washington''s Birthday'),
  ('2031-05-26', 'Memorial Day'),
  ('2031-06-19', 'Juneteenth National Independence Day'),
  ('2031-07-04', 'Independence Day'),
  ('2031-09-01', 'Labor Day'),
  ('2031-10-13', 'Columbus Day'),
  ('2031-11-11', 'Veterans Day'),
  ('2031-11-27', 'Thanksgiving Day'),
  ('2031-12-25', 'Christmas Day'),
  ('2032-01-01', 'New Year''s Day'),
  ('2032-01-19', 'Martin Luther King Jr. Day'),
  ('2032-02-16', 'Washington''s Birthday'),
  ('2032-05-31', 'Memorial Day'),
  ('2032-06-18', 'Juneteenth National Independence Day (observed)'),
  ('2032-06-19', 'Juneteenth National Independence Day'),
  ('2032-07-04', 'Independence Day'),
  ('2032-07-05', 'Independence Day (observed)'),
  ('2032-09-06', 'Labor Day'),
  ('2032-10-11', 'Columbus Day'),
  ('2032-11-11', 'Veterans Day'),
  ('2032-11-25', 'Thanksgiving Day'),
  ('2032-12-24', 'Christmas Day (observed)'),
  ('2032-12-25', 'Christmas Day'),
  ('2032-12-31', 'New Year''s Day (observed)'),
  ('2033-01-01', 'New Year''s Day'),
  ('2033-01-17', 'Martin Luther King Jr. Day'),
  ('2033-02-21', 'Washington''s Birthday'),
  ('2033-05-30', 'Memorial Day'),
  ('2033-06-19', 'Juneteenth National Independence Day'),
  ('2033-06-20', 'Juneteenth National Independence Day (observed)'),
  ('2033-07-04', 'Independence Day'),
  ('2033-09-05', 'Labor Day'),
  ('2033-10-10', 'Columbus Day'),
  ('2033-11-11', 'Veterans Day'),
  ('2033-11-24', 'Thanksgiving Day'),
  ('2033-12-25', 'Christmas Day'),
  ('2033-12-26', 'Christmas Day (observed)'),
  ('2034-01-01', 'New Year''s Day'),
  ('2034-01-02', 'New Year''s Day (observed)'),
  ('2034-01-16', 'Martin Luther King Jr. Day'),
  ('2034-02-20', 'Washington''s Birthday'),
  ('2034-05-29', 'Memorial Day'),
  ('2034-06-19', 'Juneteenth National Independence Day'),
  ('2034-07-04', 'Independence Day'),
  ('2034-09-04', 'Labor Day'),
  ('2034-10-09', 'Columbus Day'),
  ('2034-11-10', 'Veterans Day (observed)'),
  ('2034-11-11', 'Veterans Day'),
  ('2034-11-23', 'Thanksgiving Day'),
  ('2034-12-25', 'Christmas Day'),
  ('2035-01-01', 'New Year''s Day'),
  ('2035-01-15', 'Martin Luther King Jr. Day'),
  ('2035-02-19', 'Washington''s Birthday'),
  ('2035-05-28', 'Memorial Day'),
  ('2035-06-19', 'Juneteenth National Independence Day'),
  ('2035-07-04', 'Independence Day'),
  ('2035-09-03', 'Labor Day'),
  ('2035-10-08', 'Columbus Day'),
  ('2035-11-11', 'Veterans Day'),
  ('2035-11-12', 'Veterans Day (observed)'),
  ('2035-11-22', 'Thanksgiving Day'),
  ('2035-12-25', 'Christmas Day');

create table public.stage_settings (
  only_row             boolean  not null default true,
  time_zone            text     not null default 'America/Chicago',
  sales_tax_due_day    integer  not null default 20,
  sales_tax_lead_days  integer  not null default 10,
  eom_open_at          time     not null default '06:00',
  catch_up_days        integer  not null default 5,
  advisory_clear_day   integer  not null default 16,
  separate_reviewer    boolean  not null default false,
  lock_wait            interval not null default '3 seconds',
  keep_keys            interval not null default '90 days',
  keep_runs            interval not null default '2 years',
  constraint stage_settings_pkey primary key (only_row),
  constraint stage_settings_only_row_check check (only_row),
  -- for an unknown zone this raises PostgreSQL's own error
  constraint stage_settings_time_zone_check check (
    (timestamptz '2025-01-01 00:00:00+00' at time zone time_zone) is not null
  ),
  constraint stage_settings_time_zone_name_check check (
    -- a place or UTC: an offset has no daylight saving time, and posix/ and right/ are other clocks
    time_zone ~ '^([A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+)+|UTC)$' and time_zone !~ '^(Etc|SystemV)/'
  ),
  constraint stage_settings_sales_tax_due_day_check check (sales_tax_due_day between 1 and 28),
  constraint stage_settings_sales_tax_lead_days_check check (sales_tax_lead_days between 0 and 60),
  constraint stage_settings_eom_open_at_check check (eom_open_at < '24:00'),
  constraint stage_settings_catch_up_days_check check (catch_up_days between 0 and 25),
  constraint stage_settings_advisory_clear_day_check check (advisory_clear_day between 1 and 28),
  constraint stage_settings_lock_wait_check check (lock_wait between '100 milliseconds' and '20 seconds'),
  constraint stage_settings_keep_keys_check check (keep_keys >= '1 day'),
  constraint stage_settings_keep_runs_check check (keep_runs >= '60 days')
);
comment on table public.stage_settings is 'One row with the settings of the firm.';
comment on column public.stage_settings.time_zone is 'IANA name. Every calendar rule uses this zone.';
comment on column public.stage_settings.separate_reviewer is
  'Whether the actor that moved a client into eom_review is barred from signing it off.';
comment on column public.stage_settings.lock_wait is
  'How long a request waits for a client that another session holds before it fails with client_locked.';
comment on column public.stage_settings.keep_keys is
  'How long the answer to a repeatable write is kept. A key that history has is refused permanently.';
comment on column public.stage_settings.keep_runs is
  'How long job_runs keeps a run. The newest run of each job stays.';

insert into public.stage_settings default values;

-- The stored logic checks a row when it is written and records who changed it: both are triggers.
grant select, trigger on
  public.stages,
  public.stage_transitions,
  public.stage_flags,
  public.stage_seasons,
  public.business_holidays,
  public.stage_settings
to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('011_stage_rule_tables', 'client stage: stages, transitions, flags, seasons, holidays, settings');
