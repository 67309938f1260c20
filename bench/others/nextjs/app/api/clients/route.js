import { answers, CLIENT, pool, whole } from "../../../lib/database";

/** A page of the active clients. */
export const GET = answers(async (actor, request) => {
  const query = new URL(request.url).searchParams;
  const size = whole(query.get("page_size"), 100);
  const { rows } = await pool.query(
    `select ${CLIENT} from clients c join stages s using (stage)
     where c.active and c.id > $1 order by c.id limit $2`,
    [whole(query.get("after"), 0), size + 1],
  );
  const page = rows.slice(0, size);
  return { clients: page, next_after: rows.length > size ? page.at(-1).id : null };
});
