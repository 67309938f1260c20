-- Forget the hash of a migration that was rolled back. $1: its name.
delete from public.stage_deploys as d
where d.part = 'migration' and d.name = $1;
