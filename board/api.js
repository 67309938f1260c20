// All API requests of the page, and the shapes of their answers. The database decides what an answer means: no stage,
// flag or rule is named here.
import { followFirm } from "./dates.js";

const PAGE = 100;
// The most items of one batch call or page.
const MOST_ITEMS = 1000;
const TRIES = 5;
const FIRST_WAIT_MS = 200;
// No retry starts after this time: slow refusals, such as a locked client, are retried less often.
const TRYING_MS = 5_000;
// The database cancels a statement after 30 seconds, so no answer comes later than this.
const PATIENCE_MS = 35_000;

/** A refusal or a failure. `away`: the server couldn't be reached or failed, so the same request can be sent again. */
export class ApiError extends Error {
  constructor({ status, code, message, hint, facts }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.rule = facts.rule ?? code;
    this.facts = facts;
    this.away = status === 0 || status >= 500 || status === 429;
  }
}

/** An idempotency key: a request that is sent again with its key is not done twice. */
export function newKey() {
  // Over plain HTTP, browsers have no crypto.randomUUID.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Api {
  /** Calls `onRefusedToken` when the server refuses the token. */
  constructor(token, onRefusedToken) {
    this.token = token;
    this.onRefusedToken = onRefusedToken;
  }

  /** The token's actor and permissions. It records that the token was used, so it is called once, when signing in. */
  whoAmI() {
    return this.#call("whoami");
  }

  async summary() {
    const answer = await this.#call("summary");
    followFirm(answer);
    return answer;
  }

  async clients(filters, { after, size = PAGE } = {}) {
    const answer = await this.#call("clients", { ...filters, cursor: after, page_size: size });
    return { clients: answer.clients, next: answer.next_cursor, similar: answer.similar ?? [], searched: answer.searched };
  }

  async client(id) {
    return (await this.#call("client", { client_id: id })).client;
  }

  /** The most pressing items, and whether there are more. */
  async queue() {
    const answer = await this.#call("queue", { page_size: MOST_ITEMS });
    return { items: answer.queue, more: answer.next_after != null };
  }

  /** Exchanges an invite, with which this Api was made, for a token. */
  async acceptInvite() {
    return (await this.#call("accept_invite")).token;
  }

  /** The people and agents of the firm, the roles that they can have, and who covers for whom. */
  async people() {
    const [people, covers] = await Promise.all([this.#call("people"), this.#call("covers")]);
    return { ...people, ...covers };
  }

  /** A new person's secret for a link; `role` is optional. */
  async invite(actor, role) {
    return (await this.#call("invite", { actor_id: actor, ...(role && { role }) })).invite;
  }

  setRole(actor, role) {
    return this.#call("set_role", { actor_id: actor, role });
  }

  handOver(from, to, reason, until, key) {
    return this.#call("hand_over", { from_actor_id: from, to_actor_id: to, reason, ...(until && { until }) }, { key });
  }

  /** Moves the day of a cover; without a day, ends it now. */
  setCover(id, until, reason) {
    return this.#call("set_cover", { cover_id: id, ...(until && { until }), ...(reason && { reason }) });
  }

  /** The changes of all clients, newest first. */
  async activity({ by, of, day }, before) {
    const answer = await this.#call("activity", { ...(by && { actor_id: by }), ...(of && { client_id: of }), ...(day && { day }), before });
    return { rows: answer.activity, next: answer.next_before };
  }

  leave(actor, to, reason, key) {
    return this.#call("leave", { actor_id: actor, reason, ...(to && { to_actor_id: to }) }, { key });
  }

  /** The scheduled jobs and their last runs, what the firm can set, and what needs attention. */
  async firm() {
    const [jobs, settings, health] = await Promise.all([this.#call("jobs"), this.#call("settings"), this.#call("health")]);
    return { ...jobs, ...settings, findings: health.findings ?? [] };
  }

  runJob(job, dryRun) {
    return this.#call("run_job", { job, dry_run: dryRun });
  }

  rollBackRun(runId, reason) {
    return this.#call("rollback_run", { run_id: runId, reason });
  }

  setSetting(setting, value) {
    return this.#call("set_setting", { setting, value });
  }

  setStageLimit(stage, days) {
    return this.#call("set_stage_limit", { stage, ...(days !== "" && { max_days: Number(days) }) });
  }

  /** Allows a move that needs this permission; without one, removes it. */
  setTransition(from, to, permission, note) {
    return this.#call("set_transition", { from_stage: from, to_stage: to, ...(permission && { permission, ...(note && { note }) }) });
  }

  setHoliday(day, name) {
    return this.#call("set_holiday", { day, ...(name && { name }) });
  }

  createClient(client, key) {
    return this.#call("create_client", client, { key });
  }

  /** The recorded changes of all clients after a cursor. Not retried: the next poll is the retry. */
  async changes(after) {
    const answer = await this.#call("changes", { after, page_size: 500 }, { tries: 1, patience: 10_000 });
    return { rows: answer.changes, cursor: answer.cursor, more: answer.more, behindSince: answer.behind_since };
  }

  /** What this actor may do with each of these clients, by client id. */
  async allowed(ids) {
    const answer = await this.#call("check_stages", { client_ids: ids });
    return new Map(answer.clients.map((each) => [each.client_id, each]));
  }

  async closes(month) {
    const rows = [];
    let after;
    let answer;
    do {
      answer = await this.#call("closes", { month, after, page_size: 1000 });
      rows.push(...answer.closes);
      after = answer.next_after;
    } while (after != null);
    return { ...answer, closes: rows };
  }

  /** The numbers of closes by month, the oldest month first. */
  async closesByMonth(month) {
    return (await this.#call("closes_by_month", { month })).months;
  }

  move(clientId, change, key) {
    return this.#call("set_stage", { client_id: clientId, ...change }, { key });
  }

  /** Several moves; the answer has an outcome for each. */
  moveMany(items, key) {
    return this.#callWithItems("set_stages", items, key);
  }

  flag(clientId, { flag, setting, reason }, key) {
    return this.#call(setting ? "set_flag" : "clear_flag", { client_id: clientId, flag, reason }, { key });
  }

  flagMany(items, key) {
    return this.#callWithItems("set_flags", items, key);
  }

  update(clientId, fields, key) {
    return this.#call("update_client", { client_id: clientId, ...fields }, { key });
  }

  updateMany(items, key) {
    return this.#callWithItems("update_clients", items, key);
  }

  /** Undoes the newest change of a client, which this actor made. */
  undo(clientId, version, key) {
    return this.#call("undo", { client_id: clientId, expected_version: version }, { key });
  }

  /**
   * Undoes these bulk changes, as far as nothing later depends on them. Returns the clients whose change
   * is kept.
   */
  async undoMany(batches, key) {
    const kept = [];
    for (const batch of batches) {
      const { left } = await this.#call("undo_batch", { batch }, { key: `${key}-${batch}` });
      kept.push(...left.map((each) => each.client_id));
    }
    return kept;
  }

  rollBack(clientId, historyId, reason, key) {
    return this.#call("rollback", { client_id: clientId, history_id: historyId, reason }, { key });
  }

  /** Sends the items in as few calls as possible, one after another. Each call has its own key, so a retry repeats none. */
  async #callWithItems(name, items, key) {
    const outcomes = [];
    const batches = [];
    for (let begin = 0; begin < items.length; begin += MOST_ITEMS) {
      const part = items.slice(begin, begin + MOST_ITEMS);
      const answer = await this.#call(name, { items: part }, { key: `${key}-${begin}` });
      outcomes.push(...answer.items.map((item) => ({ ...item, index: begin + item.index })));
      if (answer.batch) batches.push(answer.batch);
    }
    return { items: outcomes, batches };
  }

  /** Reads use POST, too: search texts don't belong in addresses, which proxies log. */
  async #call(name, args = {}, { key, tries = TRIES, patience = PATIENCE_MS } = {}) {
    const begun = Date.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(name, args, key, patience);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401) this.onRefusedToken(error);
        if (!error.away || attempt >= tries || Date.now() - begun > TRYING_MS) throw error;
        const wait = FIRST_WAIT_MS * 2 ** (attempt - 1);
        await new Promise((go) => setTimeout(go, wait * (0.5 + Math.random())));
      }
    }
  }

  async #once(name, args, key, patience) {
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    let status;
    let answer;
    try {
      const response = await fetch(`/rpc/${name}`, {
        method: "POST",
        headers,
        body: JSON.stringify(args),
        cache: "no-store",
        signal: AbortSignal.timeout(patience),
      });
      status = response.status;
      answer = await response.json();
    } catch {
      // No connection, a timeout or a partial answer: it's unknown whether the request took effect.
      throw away(status);
    }
    if (status < 400) return answer;
    throw refusal(status, answer);
  }
}

function away(status) {
  return new ApiError({
    status: status >= 500 ? status : 0,
    code: "no_answer",
    message: "the server can't be reached",
    hint: "check your connection and try again. Nothing will be done twice",
    facts: {},
  });
}

function refusal(status, answer) {
  const facts = factsOf(answer.details);
  return new ApiError({
    status,
    code: answer.code,
    message: facts.text ?? answer.message ?? `the server failed with status ${status}`,
    // Hints are for programs. The text says what to do.
    hint: facts.text ? null : answer.hint,
    facts,
  });
}

/** `details` is JSON as text in our refusals, an object in the outcomes of a batch, and plain text in other errors. */
function factsOf(details) {
  if (details && typeof details === "object") return details;
  try {
    const facts = JSON.parse(details);
    return facts && typeof facts === "object" ? facts : {};
  } catch {
    return details ? { details } : {};
  }
}

/** The refusal of one item of a batch, as the error of a single call; null if the item was done. */
export function refusalOf(outcome) {
  return outcome.status < 400 ? null : refusal(outcome.status, outcome);
}
