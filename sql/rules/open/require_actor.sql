-- Refuse a caller without a token. A function that doesn't need to know the actor calls this; one
-- that does calls rules.current_actor, which refuses the same callers.
create or replace function rules.require_actor()
returns void
language plpgsql
stable
as $$
begin
  perform rules.current_actor();
end
$$;
