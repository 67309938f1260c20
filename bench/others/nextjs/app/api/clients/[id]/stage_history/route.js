import { answers, HISTORY, pool, Refusal, whole } from "../../../../../lib/database";

/** A client's history, the newest page first and the oldest of it first. */
export const GET = answers(async (actor, request, params) => {
  const id = whole(params.id);
  const query = new URL(request.url).searchParams;
  const { rowCount } = await pool.query("select from clients where id = $1", [id]);
  if (!rowCount) throw new Refusal(404, "client_not_found");
  const { rows } = await pool.query(
    `select ${HISTORY} from stage_history where client_id = $1 and version < $2 order by version desc limit $3`,
    [id, whole(query.get("before_version"), 2 ** 53 - 1), whole(query.get("limit"), 20)],
  );
  const history = rows.reverse();
  return { history, next_before_version: history[0]?.version || null };
});
