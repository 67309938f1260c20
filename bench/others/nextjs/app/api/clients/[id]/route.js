import { answers, CLIENT, HISTORY, pool, Refusal, whole } from "../../../../lib/database";

/** One client with its newest row of history. */
export const GET = answers(async (actor, request, params) => {
  const id = whole(params.id);
  const {
    rows: [client],
  } = await pool.query(`select ${CLIENT} from clients c join stages s using (stage) where c.id = $1`, [id]);
  if (!client) throw new Refusal(404, "client_not_found");
  const {
    rows: [history],
  } = await pool.query(`select ${HISTORY} from stage_history where client_id = $1 and version = $2`, [
    id,
    client.version,
  ]);
  return { client, history: history ?? null };
});
