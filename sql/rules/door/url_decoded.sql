-- A text without its percent-encoding, which the gateway has checked to be UTF-8.
create or replace function rules.url_decoded(encoded text)
returns text
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if strpos(encoded, '%') = 0 then
    return encoded;
  end if;
  return (
    select convert_from(
      string_agg(
        case
          when left(m.part[1], 1) = '%' then decode(substr(m.part[1], 2), 'hex')
          else convert_to(m.part[1], 'UTF8')
        end,
        '' order by m.place
      ),
      'UTF8'
    )
    from regexp_matches(encoded, '%[0-9A-Fa-f]{2}|[^%]+', 'g') with ordinality as m (part, place)
  );
end
$$;
