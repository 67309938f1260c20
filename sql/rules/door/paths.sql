-- The root and the plan's paths: which function of `api` each method calls, and which of its arguments the stars
-- are, in order. In one query an argument has another name, limit.
create or replace function rules.paths()
returns jsonb
language sql
immutable
return jsonb '{
  "/": {
    "GET": {"called": "openapi", "by_path": []}
  },
  "/api/clients": {
    "GET": {"called": "clients", "by_path": []}
  },
  "/api/clients/*": {
    "GET": {"called": "client", "by_path": ["client_id"]},
    "PATCH": {"called": "update_client", "by_path": ["client_id"]}
  },
  "/api/clients/*/stage": {
    "PATCH": {"called": "set_stage", "by_path": ["client_id"]}
  },
  "/api/clients/*/flags/*": {
    "POST": {"called": "set_flag", "by_path": ["client_id", "flag"]},
    "DELETE": {"called": "clear_flag", "by_path": ["client_id", "flag"]}
  },
  "/api/clients/*/stage_history": {
    "GET": {"called": "stage_history", "by_path": ["client_id"], "limit": "page_size"}
  },
  "/api/clients/*/stage_history/*/rollback": {
    "POST": {"called": "rollback", "by_path": ["client_id", "history_id"]}
  },
  "/api/agents/*/queue": {
    "GET": {"called": "queue", "by_path": ["actor_id"]}
  }
}';
