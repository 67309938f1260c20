-- Record the hash of a part of a deploy. $1: part; $2: name; $3: SHA-256.
insert into public.stage_deploys (part, name, sha256)
values ($1, $2, $3)
on conflict (part, name) do update
set sha256 = excluded.sha256, deployed_at = now(), deployed_by = session_user;
