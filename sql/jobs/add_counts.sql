-- Add to the counts of a run: `key` by `number`, or `number` clients skipped for the reason `key`.
create or replace function jobs.add_counts(
  counts  jsonb,
  key     text,
  number  bigint,
  skipped boolean default false
)
returns jsonb
language plpgsql
immutable
as $$
declare
  v_path text[] := case when skipped then array['skipped', key] else array[key] end;
begin
  if number = 0 then
    return counts;
  end if;
  return jsonb_set(
    case when skipped and not counts ? 'skipped' then counts || '{"skipped": {}}' else counts end,
    v_path,
    to_jsonb(coalesce((counts #>> v_path)::bigint, 0) + number)
  );
end
$$;
