-- Refuse a method. The Allow header lists the methods of the path; if there are none, the path
-- doesn't exist. Only PostgREST's own error class can carry a header.
create or replace function rules.refuse_method(allowed text[])
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_allow text;
  v_error jsonb;
begin
  if allowed = '{}' then
    perform rules.refuse('path_not_found');
  end if;
  v_allow := replace(array_to_string(allowed, ', '), 'GET', 'GET, HEAD');
  v_error := rules.error_json(
    array[('method_not_allowed', jsonb_build_object('allowed', v_allow))::rules.violation]
  );
  raise exception using
    errcode = 'PGRST',
    message = v_error - 'status' || jsonb_build_object('details', v_error ->> 'details'),
    detail  = jsonb_build_object(
      'status', v_error -> 'status',
      'status_text', v_error -> 'message',
      'headers', jsonb_build_object('Allow', v_allow)
    );
end
$$;
