-- The first clients of each part of a queue that an actor has because of its grants.
-- Clients with the same facts are judged once. A part whose clients are found by their flags reads
-- only the sets of flags that belong to it, so it doesn't read through the clients of another part.
create or replace function rules.granted_queue(
  actor_id   text,
  number     integer,
  after_rank integer,
  after_key  timestamptz,
  after_id   bigint
)
returns table (
  client_id   bigint,
  why         text,
  rank        integer,
  key         timestamptz,
  sla_due_at  timestamptz
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_judged jsonb := jsonb '{}';  -- whether clients with these facts are work
  v_facts  text;
  v_part   record;
  v_client record;
  v_found  integer;
  v_cursor refcursor;
begin
  for v_part in
    select g.why, p.*, carried.flags
    from rules.granted_stages(actor_id) g
    join rules.queue_parts(after_rank, after_key, after_id) p on p.stage = g.stage
    left join lateral rules.flag_sets(p.stage) carried on p.by_flag
    where not p.by_flag or rules.attention(carried.flags, p.is_over_sla, p.waiting_flags) = p.attention
  loop
    -- a cursor, because it is planned for its first rows
    if v_part.flags is null then
      open v_cursor for
        select c.id, c.stage_entered_at, f.*::rules.facts as facts
        from public.clients c
        cross join lateral rules.facts_of(rules.state_of(c.*), actor_id) f
        where c.stage = v_part.stage
          and c.active
          and (c.stage_entered_at, c.id) > (v_part.from_entered, v_part.from_id)
          and c.stage_entered_at < v_part.before_entered
          and rules.attention(c.flags, v_part.is_over_sla, v_part.waiting_flags) is not distinct from v_part.attention
        order by c.stage_entered_at, c.id;
    else
      open v_cursor for
        select c.id, c.stage_entered_at, f.*::rules.facts as facts
        from public.clients c
        cross join lateral rules.facts_of(rules.state_of(c.*), actor_id) f
        where c.stage = v_part.stage
          and c.flags = v_part.flags
          and c.flags <> '{}'
          and c.active
          and (c.stage_entered_at, c.id) > (v_part.from_entered, v_part.from_id)
          and c.stage_entered_at < v_part.before_entered
        order by c.stage_entered_at, c.id;
    end if;
    v_found := 0;
    while v_found < number loop
      fetch v_cursor into v_client;
      exit when not found;
      v_facts := v_part.why || v_client.facts::text;
      if not v_judged ? v_facts then
        v_judged := v_judged || jsonb_build_object(v_facts, rules.is_granted_work(actor_id, v_client.facts, v_part.why));
      end if;
      if (v_judged -> v_facts)::boolean then
        client_id := v_client.id;
        why := v_part.why;
        rank := v_part.rank;
        key := v_client.stage_entered_at + v_part.sort_by;
        sla_due_at := v_client.stage_entered_at + v_part.sla;
        v_found := v_found + 1;
        return next;
      end if;
    end loop;
    close v_cursor;
  end loop;
end
$$;
