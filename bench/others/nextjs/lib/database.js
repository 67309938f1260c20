// The pool of a process; where the database is, PGHOST and the like say.
import { createHash } from "node:crypto";
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

// Each route is a bundle of its own, and all share this one.
export const pool = (globalThis.pool ??= new pg.Pool({ max: 8, idleTimeoutMillis: 0 }));

export const CLIENT = `
  c.id, c.name, c.slug, c.notes, c.gdrive_folder, c.stage, c.stage_entered_at, c.stage_owner, c.stage_collaborators,
  c.stage_notes, c.flags, c.close_cadence, c.sales_tax_schedule, c.service_tier, c.returning_to_stage,
  c.eligible_reviewers, c.active, c.version,
  date_part('day', now() - c.stage_entered_at)::integer as age_days,
  case
    when c.stage_entered_at < now() - s.max_days * interval '24 hours'
      then case when c.flags && s.waiting_flags then 'waiting_on_client' else 'stuck' end
    when 'stuck' = any (c.flags) then 'stuck'
  end as attention
`;
export const HISTORY = `
  id, client_id, from_stage, to_stage, flag_added, flag_removed, occurred_at, actor_type, actor_id, channel,
  on_behalf_of, triggered_by, trigger_type, reason, payload, external_id, version, xid, from_entered_at,
  from_returning_to
`;

export class Refusal extends Error {
  constructor(status, rule) {
    super(rule);
    this.status = status;
  }
}

/** A route handler: find out by the bearer token who asks, and answer as JSON. */
export function answers(handler) {
  return async (request, { params }) => {
    try {
      const actor = await actorOf(request);
      return Response.json(await handler(actor, request, await params));
    } catch (error) {
      if (error instanceof Refusal) return Response.json({ rule: error.message }, { status: error.status });
      throw error;
    }
  };
}

async function actorOf(request) {
  const bearer = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  if (bearer) {
    const { rows } = await pool.query(
      `select actor_id from actor_tokens
       where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
      [createHash("sha256").update(bearer[1]).digest("hex")],
    );
    if (rows.length) return rows[0].actor_id;
  }
  throw new Refusal(401, "unauthenticated");
}

/** A whole number of the query or the path. */
export function whole(text, otherwise) {
  const number = text === null ? otherwise : Number(text);
  if (!Number.isSafeInteger(number)) throw new Refusal(422, "argument_not_valid");
  return number;
}
