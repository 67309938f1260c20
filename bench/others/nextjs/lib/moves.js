import { CLIENT, HISTORY, pool, Refusal } from "./database";

const ACTOR_TYPES = { user: "human", agent: "agent", system: "system" };

/** Move a client to another stage. */
export async function setStage(actor, id, { to_stage: toStage, reason, expected_version: expected }) {
  if (typeof toStage !== "string" || typeof reason !== "string" || !reason || !Number.isSafeInteger(expected)) {
    throw new Refusal(422, "argument_not_valid");
  }
  const db = await pool.connect();
  try {
    await db.query("begin");
    const answer = await move(db, actor, id, toStage, reason, expected);
    await db.query("commit");
    return answer;
  } catch (error) {
    await db.query("rollback");
    throw error;
  } finally {
    db.release();
  }
}

async function move(db, actor, id, toStage, reason, expected) {
  const {
    rows: [before],
  } = await db.query(
    "select c.*, s.kind from clients c join stages s using (stage) where c.id = $1 for update of c",
    [id],
  );
  if (!before) throw new Refusal(404, "client_not_found");
  if (before.version !== expected) throw new Refusal(409, "version_conflict");
  const kind = await checkedMove(db, actor, before, toStage);

  const returningTo = kind !== "pause" ? null : before.kind === "pause" ? before.returning_to_stage : before.stage;
  const {
    rows: [client],
  } = await db.query(
    `update clients c
     set stage = $2, stage_entered_at = now(), returning_to_stage = $3,
         flags = array_remove(c.flags, 'stuck'), version = c.version + 1
     from stages s
     where c.id = $1 and s.stage = $2
     returning ${CLIENT}`,
    [id, toStage, returningTo],
  );
  const actorType = ACTOR_TYPES[actor.split(":")[0]];
  const {
    rows: [history],
  } = await db.query(
    `insert into stage_history (
       client_id, from_stage, to_stage, actor_type, actor_id, channel, trigger_type, reason, version,
       from_entered_at, from_returning_to
     ) values ($1, $2, $3, $4, $5, 'api', $6, $7, $8, $9, $10)
     returning ${HISTORY}`,
    [
      id,
      before.stage,
      toStage,
      actorType,
      actor,
      actorType === "agent" ? "agent_action" : "manual",
      reason,
      client.version,
      before.stage_entered_at,
      before.returning_to_stage,
    ],
  );
  return { client, history, changed: true };
}

/** What kind of stage it goes to; refuse a move that the rules or the caller's grants do not allow. */
async function checkedMove(db, actor, before, toStage) {
  const {
    rows: [wanted],
  } = await db.query(
    `select s.kind, t.permission
     from stages s left join stage_transitions t on t.to_stage = s.stage and t.from_stage = $1
     where s.stage = $2`,
    [before.stage, toStage],
  );
  if (!wanted) throw new Refusal(422, "unknown_stage");
  const resumes = before.kind === "pause" && !["pause", "exit"].includes(wanted.kind);
  if (!wanted.permission || (resumes && toStage !== before.returning_to_stage)) {
    throw new Refusal(422, "transition_not_allowed");
  }
  if (!before.active) throw new Refusal(422, "client_inactive");

  const { rows: grants } = await db.query(
    `select permission, scope from agent_permissions
     where actor_id = $1 and revoked_at is null and permission = any ($2::text[])`,
    [actor, ["can_admin", wanted.permission]],
  );
  const facts = { from: before.stage, to: toStage, clients: before.id, service_tiers: before.service_tier };
  const covers = ({ scope }) => Object.entries(scope ?? {}).every(([key, allowed]) => allowed.includes(facts[key]));
  if (!grants.some(covers)) throw new Refusal(403, "permission_missing");
  const reviewers = before.eligible_reviewers;
  if (wanted.permission === "can_sign_off_eom_review" && reviewers && !reviewers.includes(actor)) {
    throw new Refusal(403, "not_eligible_reviewer");
  }
  return wanted.kind;
}
