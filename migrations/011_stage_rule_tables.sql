-- depends: 010_client_stage_taxonomy

-- What a firm may want to change is a row, not code.

create table public.stage_transitions (
  from_stage  text not null,
  to_stage    text not null,
  permission  text not null,
  note        text,
  constraint stage_transitions_pkey primary key (from_stage, to_stage),
  constraint stage_transitions_differ_check check (from_stage <> to_stage),
  constraint stage_transitions_permission_check check (permission in (
    'can_set_stage', 'can_sign_off_eom_review', 'can_offboard'
  ))
);
comment on table public.stage_transitions is
  'What may follow what, and the permission each move needs. A resume also has to lead back to returning_to_stage.';

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
  constraint stage_flags_set_by_check check (cardinality(set_by) > 0 and array_position(set_by, null) is null)
);
comment on table public.stage_flags is 'The flags there are, and who may set and clear each.';
comment on column public.stage_flags.set_by is
  '`anyone` or `human` with can_set_flag, or the names of the jobs that may (each as system:cron:<job>).';

insert into public.stage_flags (flag, description, set_by) values
  ('client_blocking', 'We wait for the client', '{anyone}'),
  ('advisory_due', 'An advisory talk is due', '{anyone}'),
  ('sales_tax_due', 'A sales-tax filing is due; cleared by a person when filed', '{flag_sales_tax_due,human}'),
  ('stuck', 'Longer in its stage than the SLA allows', '{stage_stuck_detector}'),
  ('season_year_end', 'Year end, 1 Dec to 15 Jan', '{flag_seasonal}'),
  ('season_1099', '1099 forms, 1 to 31 Jan', '{flag_seasonal}'),
  ('season_tax', 'Tax season, 1 Feb to 15 Apr', '{flag_seasonal}');

create table public.stage_sla (
  stage          text    not null,
  max_days       integer,
  waiting_flags  text[]  not null default '{client_blocking}',
  constraint stage_sla_pkey primary key (stage),
  constraint stage_sla_max_days_check check (max_days > 0)
);
comment on table public.stage_sla is 'How long a client may be in a stage.';
comment on column public.stage_sla.max_days is 'Days (24 hours each) after which a client is stuck; null: no limit.';
comment on column public.stage_sla.waiting_flags is 'A client that carries one of these is waiting, not stuck.';

insert into public.stage_sla (stage, max_days) values
  ('onboarding', 30),
  ('cleanup', 45),
  ('weekly', null),
  ('eom_close', 10),
  ('eom_review', 3),
  ('paused_client', 30),
  ('paused_internal', 14),
  ('offboarding', 30);

create table public.stage_seasons (
  flag        text    not null,
  from_month  integer not null,
  from_day    integer not null,
  to_month    integer not null,
  to_day      integer not null,
  constraint stage_seasons_pkey primary key (flag),
  constraint stage_seasons_flag_fkey foreign key (flag) references public.stage_flags (flag),
  -- 2024 is a leap year: every day that there is passes, no other does
  constraint stage_seasons_from_check check (make_date(2024, from_month, from_day) is not null),
  constraint stage_seasons_to_check check (make_date(2024, to_month, to_day) is not null)
);
comment on table public.stage_seasons is
  'When a seasonal flag is on, first and last day included; a season may run over the year''s end.';

insert into public.stage_seasons (flag, from_month, from_day, to_month, to_day) values
  ('season_year_end', 12, 1, 1, 15),
  ('season_1099', 1, 1, 1, 31),
  ('season_tax', 2, 1, 4, 15);

create table public.business_holidays (
  day   date not null,
  name  text not null,
  constraint business_holidays_pkey primary key (day)
);
comment on table public.business_holidays is
  'Days on which the firm does not work, weekends aside: US federal holidays and the days they are observed on.';

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
  only_row                 boolean not null default true,
  time_zone                text    not null default 'America/Chicago',
  sales_tax_due_day        integer not null default 20,
  sales_tax_lead_days      integer not null default 10,
  eom_open_at              time    not null default '06:00',
  catch_up_days            integer not null default 5,
  advisory_clear_day       integer not null default 16,
  separate_reviewer        boolean not null default false,
  constraint stage_settings_pkey primary key (only_row),
  constraint stage_settings_only_row_check check (only_row),
  -- an unknown zone raises an error of its own here
  constraint stage_settings_time_zone_check check (
    (timestamptz '2025-01-01 00:00:00+00' at time zone time_zone) is not null
  ),
  constraint stage_settings_sales_tax_due_day_check check (sales_tax_due_day between 1 and 28),
  constraint stage_settings_sales_tax_lead_days_check check (sales_tax_lead_days between 0 and 60),
  constraint stage_settings_catch_up_days_check check (catch_up_days between 0 and 25),
  constraint stage_settings_advisory_clear_day_check check (advisory_clear_day between 1 and 28)
);
comment on table public.stage_settings is 'One row: what the firm may set.';
comment on column public.stage_settings.time_zone is 'IANA name; every calendar rule is in this zone.';
comment on column public.stage_settings.separate_reviewer is
  'Whether the actor that moved a client into eom_review may not sign it off.';

insert into public.stage_settings default values;

grant select on
  public.stage_transitions,
  public.stage_flags,
  public.stage_sla,
  public.stage_seasons,
  public.business_holidays,
  public.stage_settings
to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('011_stage_rule_tables', 'client stage: transitions, flags, SLAs, seasons, holidays, settings');
