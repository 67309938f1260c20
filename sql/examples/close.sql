-- A close: the preparer opens it and hands it over, the reviewer signs it off.
-- Run it in psql, as a login that is a member of atlas_operator. The end rolls everything back.
begin;
select rules.act_as('user:jimmie');

-- A client in Weekly, and a preparer and a reviewer who have the rights they need.
select
  api.create_client('Quillfeather Bookshop', 'quillfeather', stage => 'weekly', owner => 'user:ana')
    #>> '{client,id}' as client
\gset
select api.grant_permission('user:ana', 'can_set_stage') #>> '{permission,permission}' as ana;
select api.grant_permission('user:ben', 'can_set_stage') #>> '{permission,permission}' as ben;
select api.grant_permission('user:ben', 'can_sign_off_eom_review') #>> '{permission,permission}' as ben;

-- May is over: Ana opens its close. A move needs a reason, and the version that she has seen.
-- Without close_period it is the close of the newest month that the client owes.
select rules.act_as('user:ana');
select c -> 'client' ->> 'stage' as stage, c -> 'client' ->> 'version' as version
from api.set_stage(:client, 'eom_close', 'May is over', 0, close_period => '2026-05') as c;

-- She hands it over to review.
select c -> 'client' ->> 'stage' as stage, c -> 'client' ->> 'version' as version
from api.set_stage(:client, 'eom_review', 'All accounts are reconciled', 1) as c;

-- Ben signs it off: the client is back in Weekly.
select rules.act_as('user:ben');
select c -> 'client' ->> 'stage' as stage, c -> 'client' ->> 'version' as version
from api.set_stage(:client, 'weekly', 'Reviewed and signed off', 2) as c;

-- The history says who did what, and why.
select
  h ->> 'version' as version,
  concat_ws(' to ', h ->> 'from_stage', h ->> 'to_stage') as move,
  h ->> 'actor_id' as who,
  h ->> 'reason' as why
from json_array_elements(api.stage_history(:client) -> 'history') as h;

-- And this is May's close of the client.
select
  c ->> 'state' as state,
  c ->> 'opened_by' as opened_by,
  c ->> 'reviewed_by' as handed_over_by,
  c ->> 'signed_off_by' as signed_off_by
from json_array_elements(api.closes('2026-05')::json -> 'closes') as c
where c ->> 'client_id' = :'client';

rollback;
