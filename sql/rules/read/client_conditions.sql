-- The filters of a list as SQL: only those that are given, and none of their values. $1 is the
-- filter.
create or replace function rules.client_conditions(filter rules.client_filter)
returns text
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return concat_ws(
    ' and ',
    case when filter.active then 'c.active' when not filter.active then 'not c.active' end,
    case when filter.ids is not null then 'c.id = any (($1).ids)' end,
    -- only clients with a flag are in the indexes of flags
    case when filter.flag is not null then 'c.flags <> ''{}'' and c.flags @> array[($1).flag]' end,
    case when filter.owner is not null then 'c.stage_owner = ($1).owner' end,
    case when filter.unowned then 'c.stage_owner is null' when not filter.unowned then 'c.stage_owner is not null' end,
    case when filter.entered_by is not null then 'c.stage_entered_at <= ($1).entered_by' end,
    case when filter.stuck then '''stuck'' = any (c.flags)' when not filter.stuck then 'not c.flags @> ''{stuck}''' end,
    case
      when filter.attention is not null then
        '($1).attention = (
          select coalesce(rules.attention(
            c.flags, c.stage_entered_at < s.over_before, s.waiting_flags,
            case when c.close_period is not null then c.close_period <= (select rules.late_period(now())) end
          ), ''none'')
          from rules.stage_limits(now()) s
          where s.stage = c.stage
        )'
    end,
    case when filter.service_tier is not null then 'c.service_tier = ($1).service_tier' end,
    case when filter.words is not null then 'to_tsvector(''simple'', rules.search_text(c.name, c.slug)) @@ ($1).words' end,
    -- the function behind the operator @@: no index can be used for it
    case
      when filter.common_words is not null
        then 'ts_match_vq(to_tsvector(''simple'', rules.search_text(c.name, c.slug)), ($1).common_words)'
    end
  );
end
$$;
