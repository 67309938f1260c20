-- The arguments of a call as SQL text, each taken from the object $1; the function's own defaults apply to the others.
-- Refuses a value that isn't of its argument's JSON type, and a text of a path or query that can't be read as its type.
create or replace function rules.argument_list(
  names     text[],
  types     regtype[],
  required  text[],
  by_path   jsonb,
  arguments jsonb,  -- by name, those of by_path among them
  written   json    -- the body as it was sent; null: a query
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_name     text;
  v_type     regtype;
  v_kind     text;
  v_text     text;
  v_is_text  boolean;  -- it came in a path or query
  v_is_valid boolean;
  v_value    text;
  v_list     text := '';
begin
  for i in 1 .. cardinality(names) loop
    v_name := names[i];
    v_type := types[i];
    v_kind := jsonb_typeof(arguments -> v_name);
    continue when v_kind is null and v_name <> all (required);

    v_is_text := written is null or by_path ? v_name;
    v_value := case
      when v_kind is null or v_kind = 'null' then 'null'
      when v_type = 'jsonb'::regtype then format('$1 -> %L', v_name)
      when v_kind = 'array' then format('array(select jsonb_array_elements_text($1 -> %L))::%s', v_name, v_type)
      else format('($1 ->> %L)::%s', v_name, v_type)
    end;
    begin
      if v_value = 'null' or v_type = 'jsonb'::regtype then
        v_is_valid := true;
      elsif v_type = 'text'::regtype then
        v_is_valid := v_kind = 'string';
      elsif v_type in ('integer'::regtype, 'bigint'::regtype) then
        -- the digits as they are written: jsonb has 100 for 1e2, and PostgreSQL 16 reads '24_7' as 247
        v_text := case when v_is_text then arguments ->> v_name else written ->> v_name end;
        v_is_valid := (v_is_text or v_kind = 'number') and case
          when v_text !~ '^-?[0-9]+$' then false
          when v_type = 'integer'::regtype then v_text::integer is not null
          else v_text::bigint is not null
        end;
      elsif v_type = 'boolean'::regtype and not v_is_text then
        v_is_valid := v_kind = 'boolean';
      else
        v_text := case when v_is_text then arguments ->> v_name else written ->> v_name end;
        v_is_valid := case
          when v_type = 'bigint[]'::regtype then
            (v_is_text or v_kind = 'array') and v_text ~ '^[[{]\s*(-?[0-9]+\s*(,\s*-?[0-9]+\s*)*)?[]}]$'
          when v_is_text then true
          when v_type = 'text[]'::regtype then
            v_kind = 'array' and not jsonb_path_exists(arguments -> v_name, 'strict $[*] ? (@.type() != "string")')
          else v_kind = 'string'
        end;
        if v_is_valid then
          -- @plpgsql_check_options: security_warnings = off
          execute format('select %s is not null', v_value) using arguments into v_is_valid;
        end if;
      end if;
    exception when data_exception then
      v_is_valid := false;
    end;
    if not v_is_valid then
      perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', v_type::text));
    end if;
    v_list := v_list || format(', %I => %s', v_name, v_value);
  end loop;
  return substr(v_list, 3);
end
$$;
