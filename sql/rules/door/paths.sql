-- The plan's paths: the function of `api` that each method calls, then the arguments that the stars give it, in order.
-- `limit` is another name that the query of a path has for an argument.
create or replace function rules.paths()
returns jsonb
language sql
immutable
return jsonb '{
  "/api/clients":                            {"GET":    ["clients"]},
  "/api/clients/*":                          {"GET":    ["client", "client_id"],
                                              "PATCH":  ["update_client", "client_id"]},
  "/api/clients/*/stage":                    {"PATCH":  ["set_stage", "client_id"]},
  "/api/clients/*/flags/*":                  {"POST":   ["set_flag", "client_id", "flag"],
                                              "DELETE": ["clear_flag", "client_id", "flag"]},
  "/api/clients/*/stage_history":            {"GET":    ["stage_history", "client_id"],
                                              "limit":  "page_size"},
  "/api/clients/*/stage_history/*/rollback": {"POST":   ["rollback", "client_id", "history_id"]},
  "/api/agents/*/queue":                     {"GET":    ["queue", "actor_id"]}
}';
