-- JSON as it is sent. PostgREST hands a body of this type on, where it would take any other apart to aggregate it
-- (media type handlers, PostgREST 12): a fifth of what a page of 50 clients costs the database.
create domain api."application/json" as json;

comment on domain api."application/json" is 'JSON that PostgREST sends as it is.';
