-- Every rule that can forbid something: its stable code, its HTTP status, and its words. A message never changes,
-- because PostgREST sends it as the HTTP reason phrase. It begins with a small letter, by which the gateway
-- distinguishes our errors from PostgREST's. The text is for a bookkeeper: {name} is replaced by a fact, {client} for
-- the client's name.
create or replace function rules.violation_catalog()
returns table (
  rule    text,
  status  integer,
  message text,
  hint    text,   -- for a program: what to send instead
  text    text    -- for a person: a sentence with facts
)
language sql
immutable
parallel safe
as $$
  values
    (
      'body_not_valid', 400,
      'the body is not a JSON object',
      'send one JSON object, in UTF-8',
      'The request is not valid JSON.'
    ),
    (
      'unknown_argument', 400,
      'unknown argument',
      'use the arguments in known',
      '"{argument}" is not an argument here.'
    ),
    (
      'argument_missing', 400,
      'an argument is missing',
      'send every argument in required',
      '"{argument}" is missing.'
    ),
    (
      'argument_not_valid', 400,
      'an argument has the wrong type',
      'send a value of the expected type',
      '"{argument}" has the wrong type: expected {expected}.'
    ),
    (
      'argument_twice', 400,
      'an argument is there twice',
      'send each argument once',
      '"{argument}" is there twice.'
    ),
    (
      'address_not_valid', 400,
      'the address is not text in UTF-8',
      'percent-encode it as UTF-8, without control characters',
      'This address can''t be read.'
    ),
    (
      'request_not_valid', 400,
      'the request can''t be read',
      'correct the request',
      'This request can''t be read.'
    ),
    (
      'invite_not_valid', 401,
      'this invite can''t be used',
      'ask for a new invite: api.invite',
      'This link was used already or is older than an hour. Ask for a new one.'
    ),
    (
      'unauthenticated', 401,
      'no valid token',
      'send Authorization: Bearer with a token that is neither revoked nor expired',
      'You are not signed in, or your token has expired or been revoked.'
    ),
    (
      'permission_missing', 403,
      'a permission is missing',
      'ask an admin for a grant of this permission whose scope covers the request',
      '{you_need} permission to {permission}. Ask an admin for it.'
    ),
    (
      'override_needs_admin', 403,
      'only an admin can override',
      'ask an admin, or make a move that the transitions allow',
      'Only an admin can move a client past the usual steps.'
    ),
    (
      'not_eligible_reviewer', 403,
      'not an eligible reviewer of this client',
      'leave the sign-off to one of eligible_reviewers',
      'You can''t sign off {client}. Its reviewers are {eligible_reviewers}.'
    ),
    (
      'reviewer_moved_it_in', 403,
      'the preparer can''t sign off',
      'leave the sign-off to another reviewer',
      'You handed {client} to review, so another reviewer has to sign it off.'
    ),
    (
      'flag_reserved', 403,
      'this actor can''t change this flag',
      'leave the flag to the actors in set_by',
      'You can''t change the flag {flag}. It is set by {set_by}.'
    ),
    (
      'undo_not_yours', 403,
      'only the actor that made a change can undo it',
      'ask an admin for a rollback',
      'You can''t undo a change by {made_by}. An admin can roll it back.'
    ),
    (
      'undo_too_late', 403,
      'it is too late to undo this',
      'make the opposite change, or ask an admin for a rollback',
      'This can be undone only for {minutes} minutes. Ask an admin to roll it back.'
    ),
    (
      'operator_only', 403,
      'only an operator login can act as another actor',
      'use a login that is a member of atlas_operator',
      'Only an operator can act as someone else.'
    ),
    (
      'as_of_for_operators', 403,
      'only an operator login can pass as_of',
      'omit as_of, or use a login that is a member of atlas_operator; a dry run accepts any as_of',
      'Only an operator can run a job as of another time.'
    ),
    (
      'history_is_append_only', 403,
      'history is append-only',
      'roll back a change with api.rollback',
      'History can''t be changed. Undo the change instead.'
    ),
    (
      'record_is_append_only', 403,
      'this record is append-only',
      'correct it with another entry',
      'This record can''t be changed.'
    ),
    (
      'function_not_found', 404,
      'unknown function',
      'the document at / lists the functions',
      'This function doesn''t exist.'
    ),
    (
      'client_not_found', 404,
      'unknown client',
      'list the clients with api.clients',
      'This client doesn''t exist.'
    ),
    (
      'history_not_found', 404,
      'unknown history row of this client',
      'list the rows with api.stage_history',
      'This change isn''t in the history of {client}.'
    ),
    (
      'permission_not_found', 404,
      'unknown grant',
      'list the grants with api.permissions',
      'This grant doesn''t exist.'
    ),
    (
      'token_not_found', 404,
      'unknown token',
      'list the tokens with api.tokens',
      'This token doesn''t exist.'
    ),
    (
      'run_not_found', 404,
      'unknown job run',
      'list the runs with jobs.runs or atlas-stage job runs',
      'This run doesn''t exist.'
    ),
    (
      'batch_not_found', 404,
      'unknown batch',
      'send the batch that the bulk change returned',
      'These changes don''t exist.'
    ),
    (
      'cover_not_found', 404,
      'unknown cover, or it has ended',
      'list the covers with api.covers',
      'This cover doesn''t exist or has ended.'
    ),
    (
      'path_not_found', 404,
      'unknown path',
      'the API documentation lists the paths',
      'This address doesn''t exist.'
    ),
    (
      'method_not_allowed', 405,
      'this path has other methods',
      'use one of the allowed methods',
      'This address is used in another way.'
    ),
    (
      'run_not_held', 409,
      'this session doesn''t hold this run',
      'start another run with jobs.run_in_slices',
      'Another session has taken over this run.'
    ),
    (
      'run_at_work', 409,
      'the run has not ended yet',
      'wait until it has ended',
      'This run has not ended yet. Wait until it has.'
    ),
    (
      'version_conflict', 409,
      'the client has changed since it was read',
      'read the client again and decide on its current version',
      'Someone changed {client} after you opened it. Your change wasn''t made.'
    ),
    (
      'idempotency_key_reused', 409,
      'this key was used for another request',
      'use a new key for a new request',
      'This request''s key was used before, for another request.'
    ),
    (
      'answer_erased', 409,
      'this key was used, and its answer was erased',
      'read the client again; use a new key for a new request',
      'This request was made before, and its answer has been erased.'
    ),
    (
      'rollback_blocked', 409,
      'a newer change depends on this one',
      'roll back the blocking row first',
      'A newer change of {client} depends on this one. Undo that one first.'
    ),
    (
      'already_rolled_back', 409,
      'this row was rolled back already',
      'nothing to do',
      'This change was undone already.'
    ),
    (
      'client_has_history', 409,
      'a client with a history can''t be deleted',
      'make it inactive with api.update_client and active => false',
      '{client} has a history, so it can''t be deleted. Make it inactive instead.'
    ),
    (
      'client_is_kept', 409,
      'clients can''t be deleted',
      'make it inactive with active => false; an admin deletes one that was created by mistake with api.delete_client',
      '{client} can''t be deleted. Make it inactive instead.'
    ),
    (
      'client_id_is_kept', 409,
      'the id of a client can''t change',
      'leave it: its history belongs to this id',
      'The id of {client} can''t change.'
    ),
    (
      'host_constraint', 409,
      'a constraint of the host forbids this',
      'ask the owner of the constraint in details',
      'The firm''s own database doesn''t allow this change ({constraint}). Ask the person who maintains it.'
    ),
    (
      'host_trigger_failed', 409,
      'a trigger of the host failed or changed the stored values',
      'ask the owner of the triggers in details; docs/guest.md says what a trigger can do',
      'The firm''s own database stopped this change ({triggers}). Ask the person who maintains it.'
    ),
    (
      'last_admin', 409,
      'at least one unscoped admin must remain',
      'grant can_admin without a scope to another actor first',
      'At least one unscoped admin must remain.'
    ),
    (
      'slug_taken', 409,
      'another client has this slug',
      'choose another slug',
      'Another client has the short name {slug}. Choose another one.'
    ),
    (
      'slug_ambiguous', 409,
      'several clients have this slug',
      'use the id of one',
      'Several clients have the short name {slug}. Use the number of one instead.'
    ),
    (
      'slug_too_similar', 409,
      'another client''s slug differs only in form',
      'use other_slug, or choose another slug',
      'The short name {slug} looks like {other_slug}, the one of {other_client}. Choose another one.'
    ),
    (
      'token_exists', 409,
      'this token is known already',
      'list the tokens with api.tokens',
      'This token is known already.'
    ),
    (
      'version_not_given', 409,
      'a new client has no version',
      'omit the version; a data-only restore needs --disable-triggers',
      'A new client can''t have a version.'
    ),
    (
      'length_required', 411,
      'the body has no Content-Length',
      'send it with its length, not in chunks',
      'This request can''t be read.'
    ),
    (
      'body_too_large', 413,
      'the body is too large',
      'send at most 5 MB and 300,000 values: split the work into smaller calls',
      'This is too much at once. Choose fewer clients at a time.'
    ),
    (
      'content_type_not_supported', 415,
      'the body is not JSON in UTF-8',
      'send Content-Type: application/json',
      'The request is not JSON.'
    ),
    (
      'transition_not_allowed', 422,
      'this move is not allowed',
      'choose one of allowed_stages; an admin can override',
      '{client} is in {from_stage}. From there it can go to {allowed_stages}.'
    ),
    (
      'transition_kept', 422,
      'a rule of the stages forbids this transition',
      'leave it, or send the permission that the rule needs',
      'From {from_stage} to {to_stage}: {why}.'
    ),
    (
      'client_inactive', 422,
      'an inactive client can''t move',
      'an admin makes it active first, with api.update_client',
      '{client} is inactive, so it can''t move. An admin can make it active.'
    ),
    (
      'unknown_job', 422,
      'unknown job',
      'use one of known',
      '"{job}" isn''t a job. Use {known}.'
    ),
    (
      'moment_not_valid', 422,
      'not a valid time',
      'use a time between the years 2000 and 2200',
      'This time is too far away. Use one between 2000 and 2200.'
    ),
    (
      'setting_not_valid', 422,
      'not a valid setting',
      'use the expected value',
      '"{value}" isn''t a valid {setting}. Use {expected}.'
    ),
    (
      'unknown_table', 422,
      'unknown table',
      'use one of known',
      '"{about}" isn''t recorded. Use {known}.'
    ),
    (
      'unknown_stage', 422,
      'unknown stage',
      'use one of known',
      '"{stage}" isn''t a stage. Use {known}.'
    ),
    (
      'unknown_flag', 422,
      'unknown flag',
      'use one of known',
      '"{flag}" isn''t a flag. Use {known}.'
    ),
    (
      'unknown_value', 422,
      'unknown value',
      'use one of known',
      '"{given}" isn''t a known value. Use {known}.'
    ),
    (
      'unknown_channel', 422,
      'unknown channel',
      'use one of known, or omit it',
      '"{channel}" isn''t a channel. Use {known}.'
    ),
    (
      'unknown_permission', 422,
      'unknown permission',
      'use one of known',
      '"{permission}" isn''t a permission. Use {known}.'
    ),
    (
      'unknown_scope_key', 422,
      'unknown scope key',
      'use one of known',
      '"{scope_key}" can''t limit a grant. Use {known}.'
    ),
    (
      'scope_not_valid', 422,
      'not a valid scope',
      'send the expected value, or null for no restriction',
      'This limit of a grant isn''t valid: expected {expected}.'
    ),
    (
      'reason_required', 422,
      'a reason is required',
      'send a reason of at most 2,000 characters',
      'Give a reason.'
    ),
    (
      'expected_version_required', 422,
      'expected_version is required',
      'read the client and send its version',
      'Open the client again, then try once more.'
    ),
    (
      'slug_not_valid', 422,
      'this slug reads as a number',
      'add a letter or a word, such as client-24',
      'The short name {slug} reads as a number. Add a word to it, such as client-24.'
    ),
    (
      'text_required', 422,
      'a text is required',
      'fill in the field',
      'Fill in {field}.'
    ),
    (
      'text_too_long', 422,
      'a text is too long',
      'shorten it to max_length',
      '{field} is too long: {length} characters, and the limit is {max_length}.'
    ),
    (
      'text_not_clean', 422,
      'a text has control characters',
      'remove them; only a reason or notes can have line breaks and tabs',
      '{field} has invisible characters. Type it again.'
    ),
    (
      'payload_not_valid', 422,
      'not a valid payload',
      'send a JSON object of at most 64 KiB with numbers of at most 40 digits',
      'The attached data is too large or not an object.'
    ),
    (
      'period_not_valid', 422,
      'not a valid month',
      'send close_period as YYYY-MM, or omit it',
      '"{close_period}" isn''t a month. Write 2026-05, for example.'
    ),
    (
      'period_not_expected', 422,
      'this move opens no close',
      'omit close_period, or send the month that the client is closing',
      'Only a move that opens a close of {client} can choose its month.'
    ),
    (
      'not_reversible', 422,
      'this row can''t be rolled back',
      'moves and changes of flags and fields can; the first row, a rollback and erased words can''t',
      'This change can''t be undone. Make the opposite change instead.'
    ),
    (
      'actor_id_not_normal', 422,
      'an actor id in another form than the stored one',
      'send instead: small letters, composed (NFC), no invisible characters',
      'Write "{instead}" instead of "{actor_id}": small letters and nothing invisible, so that no one has two ids.'
    ),
    (
      'unknown_role', 422,
      'unknown role',
      'use a role in known',
      '"{role}" isn''t a role. Choose {known}.'
    ),
    (
      'days_not_valid', 422,
      'not a number of days',
      'send 1 to 3,650',
      'Choose between 1 and 3,650 days.'
    ),
    (
      'day_not_valid', 422,
      'not a day after today',
      'send a day from first to last, as YYYY-MM-DD',
      '"{day}" isn''t possible. Choose a day from {first} to {last}.'
    ),
    (
      'actor_id_not_valid', 422,
      'not an actor id',
      'use user:…, agent:… or system:… without spaces, at most 200 characters',
      '"{actor_id}" isn''t a person, agent or system. Write user:ana, for example.'
    ),
    (
      'same_actor', 422,
      'a hand-over to the same actor',
      'send another to_actor_id',
      '{actor_id} can''t hand over to itself. Choose someone else.'
    ),
    (
      'expiry_required', 422,
      'a token needs an expiry',
      'send expires_at, or never_expires := true',
      'Say either when the token expires, or that it never does.'
    ),
    (
      'expiry_in_past', 422,
      'the expiry is not in the future',
      'send a later expires_at',
      'The token would be expired already. Choose a later day.'
    ),
    (
      'token_hash_not_valid', 422,
      'not a SHA-256 in hex',
      'send 64 lower-case hexadecimal digits',
      'This isn''t the SHA-256 of a token.'
    ),
    (
      'items_not_valid', 422,
      'items is an array of 1 to 1,000 objects',
      'split the work into calls of at most 1,000 items',
      'Choose 1 to 1,000 clients at a time.'
    ),
    (
      'item_not_valid', 422,
      'an item is an object of the known arguments',
      'correct the argument in details',
      'This entry can''t be read.'
    ),
    (
      'cursor_not_valid', 422,
      'not a cursor of this list',
      'send the cursor of an earlier answer, or none to begin again',
      'This list has changed. Load it again.'
    ),
    (
      'client_ids_not_valid', 422,
      'client_ids has no ids, or too many',
      'send at most 200 ids to check_stages, at most 1,000 to clients',
      'Choose fewer clients at a time.'
    ),
    (
      'month_not_valid', 422,
      'not a month',
      'send YYYY-MM, such as 2026-05',
      '"{month}" isn''t a month. Write 2026-05, for example.'
    ),
    (
      'months_not_valid', 422,
      'months is 1 to 24',
      'ask for fewer months',
      'Choose 1 to 24 months.'
    ),
    (
      'page_size_not_valid', 422,
      'page_size is 1 to 1,000',
      'send a page_size within the limits',
      'A page has 1 to 1,000 entries.'
    ),
    (
      'headers_too_large', 431,
      'the address or a header is too long',
      'send an address of at most 16,000 and a key of at most 200 characters',
      'The address is too long.'
    ),
    (
      'digest_not_valid', 422,
      'not a digest',
      'send the whole line that atlas-stage verify --digest printed',
      'This isn''t a digest. Paste the whole line that verify printed.'
    ),
    (
      'id_too_large', 422,
      'an id is at most 2 to the power of 53',
      'omit the id: the database numbers new rows',
      'This id is too large. Leave it out.'
    ),
    (
      'client_locked', 503,
      'another session holds this client',
      'try again in a few seconds',
      'Someone else is changing {client} right now. Try again in a few seconds.'
    ),
    (
      'key_in_use', 503,
      'a request with this key is still running',
      'try again in a few seconds, with the same key',
      'The same request is still running. Try again in a few seconds.'
    ),
    (
      'retry', 503,
      'the transaction can''t see the newest data',
      'end the transaction, and make the change again in a new one',
      'Something else changed at the same time. Try again.'
    ),
    (
      'feed_not_in_order', 503,
      'this database was moved to another server',
      'run atlas-stage migrate, which begins a new epoch of the feed',
      'This database was moved to another server, and an administrator has to finish the move.'
    ),
    (
      'service_away', 503,
      'the service can''t be reached',
      'try again in a moment',
      'The service can''t be reached right now. Try again in a moment.'
    )
$$;

comment on function rules.violation_catalog() is
'List every violation: stable rule code, HTTP status, message, hint for programs, text for people.';
