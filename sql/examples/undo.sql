-- An undo: a mistake is reversed by another row, so the history keeps both.
-- Run it in psql, as a login that is a member of atlas_operator. The end rolls everything back.
begin;
\set SHOW_CONTEXT never
select rules.act_as('user:jimmie');
select
  api.create_client('Quillfeather Bookshop', 'quillfeather', stage => 'weekly') #>> '{client,id}' as client
\gset
select api.grant_permission('user:ana', 'can_set_stage') #>> '{permission,permission}' as ana;

-- Ana opens the close of the wrong client.
select rules.act_as('user:ana');
select
  c #>> '{client,stage}' as stage,
  c #>> '{history,id}' as opening
from api.set_stage(:client, 'eom_close', 'May is over', 0, close_period => '2026-05') as c
\gset
\echo The client is in :stage

-- Within the minutes in the settings she can undo it: her own change, and the client's newest.
select
  c #>> '{client,stage}' as stage,
  c #>> '{client,version}' as version,
  c #>> '{history,trigger_type}' as recorded_as
from api.undo(:client, 1, 'The wrong client') as c;

-- Nothing was deleted from the history.
select
  h ->> 'version' as version,
  concat_ws(' to ', h ->> 'from_stage', h ->> 'to_stage') as move,
  h ->> 'trigger_type' as how,
  h ->> 'reason' as why
from json_array_elements(api.stage_history(:client) -> 'history') as h;

-- Later, or for someone else, an admin does the same with rollback. A change can be rolled back only once.
select rules.act_as('user:jimmie');
select api.rollback(:client, :opening, 'Again');

rollback;
