-- What PostgREST does at each request.
select set_config('request.path', '/rpc/health', true), set_config('request.headers', '{}', true);
set local role atlas_anon;
select
  'api.read(bytea)'::regprocedure,
  'api.write(bytea)'::regprocedure;
select rules.pre_request();
select api.health();
