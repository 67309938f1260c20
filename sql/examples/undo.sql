-- An undo: a rollback appends the opposite change, so the history keeps both.
-- Run it in psql, as a login that is a member of atlas_operator. The end rolls everything back.
begin;
\set SHOW_CONTEXT never
select rules.act_as('user:jimmie');
select
  api.create_client('Quillfeather Bookshop', 'quillfeather', stage => 'weekly') #>> '{client,id}' as client
\gset

-- The close is opened too early.
select
  c #>> '{client,stage}' as stage,
  c #>> '{history,id}' as opening
from api.set_stage(:client, 'eom_close', 'May is over', 0) as c
\gset
\echo The client is in :stage

-- An admin rolls back this change, by the id of its history row.
select
  c #>> '{client,stage}' as stage,
  c #>> '{client,version}' as version,
  c #>> '{history,trigger_type}' as recorded_as
from api.rollback(:client, :opening, 'It is only the 28th') as c;

-- Nothing was deleted from the history.
select
  h ->> 'version' as version,
  concat_ws(' to ', h ->> 'from_stage', h ->> 'to_stage') as move,
  h ->> 'trigger_type' as how,
  h ->> 'reason' as why
from json_array_elements(api.stage_history(:client) -> 'history') as h;

-- A change can be rolled back only once.
select api.rollback(:client, :opening, 'Again');

rollback;
