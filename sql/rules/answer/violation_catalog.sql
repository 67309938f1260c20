-- Every rule that can forbid something: its stable code, HTTP status, constant message, and what to do next.
create or replace function rules.violation_catalog()
returns table (
  rule    text,
  status  integer,
  message text,
  hint    text
)
language sql
immutable
parallel safe
as $$
  values
    ('body_not_valid', 400, 'the body is not a JSON object', 'send one JSON object, in UTF-8'),
    ('unknown_argument', 400, 'no such argument', 'use the known arguments'),
    ('argument_missing', 400, 'an argument is missing', 'send every argument of required'),
    ('argument_not_valid', 400, 'an argument is of the wrong type', 'send what is expected'),
    ('argument_twice', 400, 'an argument is there twice', 'send each argument once'),
    ('address_not_valid', 400, 'the address is not text in UTF-8', 'percent-encode it as UTF-8, without control characters'),
    ('request_not_valid', 400, 'the request cannot be read', 'correct the request'),

    ('unauthenticated', 401, 'no valid token', 'send Authorization: Bearer with a token that is neither revoked nor expired'),

    ('permission_missing', 403, 'the permission for this is missing', 'ask an admin for a grant of this permission whose scope covers the request'),
    ('override_needs_admin', 403, 'only an admin may override', 'ask an admin, or make a move that the transitions allow'),
    ('not_eligible_reviewer', 403, 'not among the eligible reviewers of this client', 'leave the sign-off to one of eligible_reviewers'),
    ('reviewer_moved_it_in', 403, 'whoever moved the client into review may not sign it off', 'leave the sign-off to another reviewer'),
    ('flag_reserved', 403, 'this flag is not for this actor to change', 'leave the flag to those named in set_by'),
    ('operator_only', 403, 'only an operator login may act as another actor', 'use a login that is a member of atlas_operator'),
    ('as_of_for_operators', 403, 'only an operator login may say as of when a job runs', 'leave as_of out, or use a login that is a member of atlas_operator; a dry run may take any'),
    ('history_is_append_only', 403, 'history is append-only', 'take a change back with api.rollback'),
    ('record_is_append_only', 403, 'this record is only added to', 'leave it: what is wrong in it is put right by another entry'),

    ('path_not_found', 404, 'no such path', 'the API documentation lists the paths'),
    ('function_not_found', 404, 'no such function', 'the document at / lists the functions'),
    ('client_not_found', 404, 'no such client', 'list the clients with api.clients'),
    ('history_not_found', 404, 'no such history row of this client', 'list the rows with api.stage_history'),
    ('permission_not_found', 404, 'no such grant', 'list the grants with api.permissions'),
    ('token_not_found', 404, 'no such token', 'list the tokens with api.tokens'),

    ('method_not_allowed', 405, 'this path has other methods', 'use one of the allowed methods'),
    ('length_required', 411, 'the body has no Content-Length', 'send it with its length, not in chunks'),
    ('body_too_large', 413, 'the body is too large', 'send at most 5 MB and 300,000 values: split the work into smaller calls'),
    ('content_type_not_supported', 415, 'the body is not JSON in UTF-8', 'send Content-Type: application/json'),
    ('headers_too_large', 431, 'the address or a header is too long', 'send an address of at most 16,000 and a key of at most 200 characters'),

    ('run_not_held', 409, 'this session is not at the work of this run', 'begin a run of its own with jobs.perform'),
    ('run_not_found', 404, 'no such run of a job', 'list the runs with jobs.runs or atlas-stage job runs'),
    ('run_at_work', 409, 'the run is still at work', 'wait until it has ended'),
    ('version_conflict', 409, 'the client has changed since it was read', 'read the client again and decide on its current version'),
    ('idempotency_key_reused', 409, 'this key was used for another request', 'use a new key for a new request'),
    ('rollback_blocked', 409, 'a later change of the same thing stands on this row', 'roll back the blocking row first'),
    ('already_rolled_back', 409, 'this row was rolled back already', 'nothing to do'),
    ('client_has_history', 409, 'a client with a history is kept', 'make it inactive with api.update_client and active => false'),
    ('client_is_kept', 409, 'clients are not deleted', 'make it inactive with active => false; an admin takes out one that was made by mistake with api.delete_client'),
    ('client_id_is_kept', 409, 'the id of a client does not change', 'its history stands under this id: leave it as it is'),
    ('host_constraint', 409, 'a constraint of the database that is not ours forbids this', 'the constraint and its table are named: ask whoever keeps them'),
    ('host_trigger_failed', 409, 'a trigger on clients that is not ours failed or changed what was to be stored', 'the trigger is named: ask whoever keeps it; docs/guest.md says what it may do'),
    ('last_admin', 409, 'somebody must remain who may grant', 'grant can_admin without a scope to somebody else first'),
    ('slug_taken', 409, 'another client has this slug', 'choose another slug'),
    ('token_exists', 409, 'this token is known already', 'list the tokens with api.tokens'),

    ('version_not_given', 409, 'the version of a new client is the database''s to give', 'leave it out; a restore of data alone needs --disable-triggers'),
    ('client_locked', 503, 'somebody else holds this client', 'try again in a few seconds'),
    ('key_in_use', 503, 'a request with this key is still at work', 'try again in a few seconds, with the same key'),

    ('transition_not_allowed', 422, 'this stage may not follow the present one', 'choose one of allowed_stages; an admin may override'),
    ('client_inactive', 422, 'an inactive client does not move', 'an admin makes it active first, with api.update_client'),
    ('unknown_job', 422, 'no such job', 'use one of the known jobs'),
    ('moment_not_valid', 422, 'a moment out of all calendars', 'use one between the years 2000 and 2200'),
    ('setting_not_valid', 422, 'a setting that makes no sense', 'write what is expected'),
    ('unknown_table', 422, 'no such table on record', 'use one of the known tables'),
    ('unknown_stage', 422, 'no such stage', 'use one of the known stages'),
    ('unknown_flag', 422, 'no such flag', 'use one of the known flags'),
    ('unknown_value', 422, 'a word that this field does not know', 'use one of the known words'),
    ('unknown_channel', 422, 'no such channel for callers', 'use one of the known channels, or leave it out'),
    ('unknown_permission', 422, 'no such permission', 'use one of the known permissions'),
    ('unknown_scope_key', 422, 'no such key in a scope', 'use the known keys'),
    ('scope_not_valid', 422, 'a scope is an object of arrays', 'give what is expected, or null for no restriction'),
    ('reason_required', 422, 'a reason is required', 'say why, in at most 2,000 characters'),
    ('expected_version_required', 422, 'the expected version is required', 'read the client and send its version'),
    ('text_required', 422, 'a text is required', 'fill in the field'),
    ('text_too_long', 422, 'a text is too long', 'shorten it to the limit; nothing is cut off for you'),
    ('text_not_clean', 422, 'a text has control characters', 'remove them; a reason may have line breaks and tabs'),
    ('payload_not_valid', 422, 'a payload is a JSON object of at most 64 KiB, its numbers of at most 40 digits', 'send a smaller object'),
    ('period_not_valid', 422, 'the period of a close is a month, as YYYY-MM', 'send payload.period as YYYY-MM, or leave it out'),
    ('not_reversible', 422, 'this row cannot be rolled back', 'only moves and flag changes can, and a rollback itself cannot'),
    ('actor_id_not_valid', 422, 'not an actor id', 'use user:…, agent:… or system:… without spaces, at most 200 characters'),
    ('expiry_required', 422, 'a token needs an expiry', 'send expires_at, or never_expires := true on purpose'),
    ('expiry_in_past', 422, 'the expiry is not in the future', 'send a later expires_at'),
    ('token_hash_not_valid', 422, 'not a SHA-256 in hex', 'send 64 lower-case hexadecimal digits'),
    ('items_not_valid', 422, 'items is an array of 1 to 1,000 objects', 'split the work into calls of at most 1,000 items'),
    ('item_not_valid', 422, 'an item is an object of the known arguments', 'correct the named argument'),
    ('cursor_not_valid', 422, 'not a cursor of this feed', 'send the cursor of an earlier answer, or none to begin anew'),
    ('client_ids_not_valid', 422, 'client_ids is an array of 1 to 200 ids', 'ask about at most 200 clients at a time'),
    ('month_not_valid', 422, 'not a month', 'send YYYY-MM, such as 2026-05'),
    ('months_not_valid', 422, 'months is 1 to 24', 'ask for fewer months'),
    ('page_size_not_valid', 422, 'page_size is 1 to 1,000', 'send a page_size within the limits'),

    ('feed_not_in_order', 503, 'this database came to another server, and its changes have no order yet', 'run atlas-stage migrate, which begins a new epoch'),
    ('service_away', 503, 'the service is not there at the moment', 'try again in a moment')
$$;

comment on function rules.violation_catalog() is
'Every violation: stable rule code, HTTP status, message, hint. The one place these words stand.';
