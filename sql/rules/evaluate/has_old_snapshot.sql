-- Whether this transaction may see grants of more than a minute ago: one that keeps its snapshot can. A read committed
-- transaction sees the grants of this moment. A change is refused then (`retry`). SQL, so that the planner inlines it.
create or replace function rules.has_old_snapshot()
returns boolean
language sql
volatile
return current_setting('transaction_isolation') in ('repeatable read', 'serializable')
  and clock_timestamp() - now() > interval '1 minute';
