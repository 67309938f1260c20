-- A refusal: the database says which rule forbids a change, and what is allowed instead.
-- Run it in psql, as a login that is a member of atlas_operator. The end rolls everything back.
begin;
-- An error ends only its own statement, not the transaction.
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
select rules.act_as('user:jimmie');
select
  api.create_client('Quillfeather Bookshop', 'quillfeather', stage => 'weekly') #>> '{client,id}' as client
\gset

-- From Weekly, a client can't go straight to review. Ask before you move: this changes nothing.
select
  c -> 'allowed' as allowed,
  r ->> 'rule' as rule,
  r ->> 'text' as text
from api.check_stage(:client, 'eom_review') as c
cross join jsonb_array_elements(c -> 'refusals') as r;

-- The move itself is refused by the same rule. Programs read the code and the facts in DETAIL.
select api.set_stage(:client, 'eom_review', 'Skip the close', 0);

-- Without a grant, an actor can't move any client.
select rules.act_as('user:ana');
select api.set_stage(:client, 'eom_close', 'May is over', 0);

-- Nothing has changed.
select c #>> '{client,stage}' as stage, c #>> '{client,version}' as version
from api.client(:client) as c;

rollback;
