-- JSON as it is sent: a body of this type PostgREST hands on (a media type handler, since PostgREST 12); any other
-- it aggregates into an array, to take the one element out again by parsing all of it.
-- Made once: a type that was made anew would be another one to every live connection.
do $$
begin
  if to_regtype('api."application/json"') is null then
    create domain api."application/json" as json;
  end if;
end
$$;

comment on domain api."application/json" is 'JSON that PostgREST sends as it is.';
