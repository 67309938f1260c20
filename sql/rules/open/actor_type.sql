-- human, agent or system: follows from the id's prefix.
create or replace function rules.actor_type(actor_id text)
returns text
language sql
immutable
parallel safe
return case split_part(actor_id, ':', 1)
  when 'user' then 'human'
  when 'agent' then 'agent'
  when 'system' then 'system'
end;
