// Everything that the page asks of the API, and the shape of each answer, in one place. What an answer means is
// decided by the database; nothing here knows a stage, a flag or a rule by name.

const PAGE = 100;
// How many items one call of many takes.
const MOST_ITEMS = 1000;
const TRIES = 5;
const FIRST_WAIT_MS = 200;
// Where each answer takes long, such as that somebody holds the client, few of them are waited for.
const TRYING_MS = 5_000;
// A statement ends after 30 seconds; whoever waits longer than this waits for nobody.
const PATIENCE_MS = 35_000;

/** An answer that is no. `away`: nobody answered, so the same may be sent again. */
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

/** A key for one intention: the same intention sent again is not done twice. */
export const newKey = () => crypto.randomUUID();

export class Api {
  /** `onRefusedToken` hears when the token has stopped being one. */
  constructor(token, onRefusedToken) {
    this.token = token;
    this.onRefusedToken = onRefusedToken;
  }

  /** Who the token is. It marks the token as used, so it is called once, at the beginning. */
  whoAmI() {
    return this.#call("whoami");
  }

  summary() {
    return this.#call("summary");
  }

  async clients(filters, { after, size = PAGE } = {}) {
    const answer = await this.#call("clients", { ...filters, cursor: after, page_size: size });
    return { clients: answer.clients, next: answer.next_cursor };
  }

  async client(id) {
    return (await this.#call("client", { client_id: id })).client;
  }

  async queue() {
    return (await this.#call("queue", { page_size: PAGE })).queue;
  }

  async history(id, beforeVersion) {
    const answer = await this.#call("stage_history", {
      client_id: id, page_size: 50, before_version: beforeVersion,
    });
    return { rows: answer.history, next: answer.next_before_version };
  }

  /** The recorded changes of the whole firm after a cursor. One try: the next poll is the next try. */
  async changes(after) {
    const answer = await this.#call("changes", { after, page_size: 500 }, { tries: 1, patience: 10_000 });
    return { rows: answer.changes, cursor: answer.cursor, more: answer.more };
  }

  /** What this actor may do with each of these clients, by client. */
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

  /** The closes of the last months in numbers, the oldest month first. */
  async closesByMonth(month) {
    return (await this.#call("closes_by_month", { month })).months;
  }

  move(clientId, change, key) {
    return this.#call("set_stage", { client_id: clientId, ...change }, { key });
  }

  /** Many moves; the answer has an outcome for each. */
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

  rollBack(clientId, historyId, reason, key) {
    return this.#call("rollback", { client_id: clientId, history_id: historyId, reason }, { key });
  }

  /** In as few calls as it takes, one after another. Each has a key of its own, so that none is done twice when all are sent again. */
  async #callWithItems(name, items, key) {
    const outcomes = [];
    for (let begin = 0; begin < items.length; begin += MOST_ITEMS) {
      const part = items.slice(begin, begin + MOST_ITEMS);
      const answer = await this.#call(name, { items: part }, { key: `${key}-${begin}` });
      outcomes.push(...answer.items.map((item) => ({ ...item, index: begin + item.index })));
    }
    return { items: outcomes };
  }

  /** POST, also to read: what somebody searches for does not belong in an address that others log. */
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
      // No connection, no answer in time, or half an answer: whether it was done is not known.
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
    message: "the server does not answer",
    hint: "check the connection and try again; what was sent is not done twice",
    facts: {},
  });
}

function refusal(status, answer) {
  const facts = factsOf(answer.details);
  return new ApiError({
    status,
    code: answer.code,
    message: facts.text ?? answer.message ?? `the server answered ${status}`,
    hint: answer.hint,
    facts,
  });
}

/** `details` is JSON as text where a rule of ours speaks, an object in the outcomes of a batch, and prose elsewhere. */
function factsOf(details) {
  if (details && typeof details === "object") return details;
  try {
    const facts = JSON.parse(details);
    return facts && typeof facts === "object" ? facts : {};
  } catch {
    return details ? { said: details } : {};
  }
}

/** The refusal of one item of a batch, as the error that it would have been alone; null where it was done. */
export function refusalOf(outcome) {
  return outcome.status < 400 ? null : refusal(outcome.status, outcome);
}
