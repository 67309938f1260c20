-- How many rows rules.flag_changes has for two sets of flags, without the query: each changed client asks.
create or replace function rules.count_flag_changes(
  old_flags text[],
  new_flags text[],
  moved     boolean
)
returns bigint
language plpgsql
immutable
as $$
declare
  v_count bigint := 0;
  v_flag  text;
begin
  foreach v_flag in array old_flags loop
    if v_flag <> all (new_flags) and not (moved and v_flag = 'stuck') then
      v_count := v_count + 1;
    end if;
  end loop;
  foreach v_flag in array new_flags loop
    if v_flag <> all (old_flags) and not (moved and v_flag = 'stuck') then
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
