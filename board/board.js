// The state of the page and its actions: it calls the API, keeps the answers and refreshes them. The views only render.
import { Api, newKey, refusalOf } from "./api.js";
import { Store, plural, title } from "./ui.js";
import { readAddress, writeAddress } from "./address.js";

const TOKEN = "atlas-token";
const PAGE = 100;
const LARGEST_PAGE = 1000;
// The next page is loaded when the view is this many clients from the end of the loaded ones.
const NEAR_THE_END = 30;
// How long cards stay in view before their allowed moves are requested.
const LOOKING_MS = 60;
export const MOST_PRESSING = "sla";
// The most clients of one check_stages call.
const BATCH = 200;
const POLL_MS = 4_000;
const SLOWEST_POLL_MS = 30_000;
// Ages and due times change without a recorded change, so everything is reloaded after this time.
const STALE_MS = 10 * 60_000;
const HIGHLIGHT_MS = 5_000;

const NOTHING_KNOWN = {
  me: null,
  summary: null,
  columns: {},
  clients: new Map(),
  allowed: new Map(),
  chosen: new Set(),
  recent: new Map(),
  active: null,
  queue: null,
  drawer: null,
  dialog: null,
  report: null,
  away: null,
  problem: null,
};

export class Board {
  #api = null;
  #cursor = null;
  #poll = null;
  #pollWait = POLL_MS;
  #loadedAt = 0;
  // The number of the last reload. Answers to earlier ones are dropped.
  #asked = 0;
  // The first and last visible card of each stage.
  #sight = new Map();
  #looking = null;

  constructor() {
    this.store = new Store({
      ...NOTHING_KNOWN, phase: "signed_out", signIn: null, announcement: "", ...readAddress(),
    });
    addEventListener("popstate", () => this.#followAddress());
    addEventListener("online", () => this.refreshSoon());
    document.addEventListener("visibilitychange", () => this.#onVisible());
  }

  get state() {
    return this.store.state;
  }

  // ---- signing in and out

  /** Signs in with the token of this tab, if it has one. */
  begin() {
    const token = sessionStorage.getItem(TOKEN);
    if (token) this.signIn(token);
  }

  async signIn(token) {
    this.store.set({ phase: "signing_in", signIn: null });
    const api = new Api(token, (error) => this.#onRefusedToken(api, error));
    this.#api = api;
    try {
      const [me, summary] = await Promise.all([api.whoAmI(), api.summary()]);
      if (this.#api !== api) return;
      sessionStorage.setItem(TOKEN, token);
      // The same actor gets back what it typed before its token expired.
      const kept = this.state.me?.actor_id === me.actor_id ? { dialog: this.state.dialog } : { dialog: null };
      this.store.set({ ...NOTHING_KNOWN, ...kept, me, summary });
      // The feed continues from the summary, and the clients are loaded after it, so no change is missed.
      this.#cursor = summary.cursor;
      this.#sight.clear();
      await this.reload(summary);
      if (this.#api !== api) return;
      this.store.set({ phase: "signed_in" });
      this.#followAddress();
      this.#schedule(POLL_MS);
    } catch (error) {
      if (this.#api !== api || error.status === 401) return;
      this.#api = null;
      this.store.set({ phase: "signed_out", signIn: error });
    }
  }

  signOut(error = null) {
    sessionStorage.removeItem(TOKEN);
    clearTimeout(this.#poll);
    this.#api = null;
    const kept = error ? {} : NOTHING_KNOWN;
    this.store.set({ ...kept, phase: "signed_out", signIn: error });
  }

  #onRefusedToken(api, error) {
    if (this.#api === api) this.signOut(error);
  }

  // ---- the view

  /** Reloads all columns and counts. */
  async reload(known) {
    const asked = (this.#asked += 1);
    const filters = this.#filters();
    const [summary, first] = await Promise.all([known ?? this.#api.summary(), this.#api.clients(filters, { size: PAGE })]);
    if (asked !== this.#asked) return;
    this.#loadedAt = Date.now();
    this.store.set({ summary, problem: null });
    if (first.next == null) {
      this.#showEveryone(first.clients, summary);
    } else {
      await Promise.all(this.#shownStages().map((stage) => this.#loadColumn(stage, asked)));
    }
  }

  /** The filters as arguments of the API. The filter by stage selects columns instead. */
  #filters() {
    const { stage: _stages, owner, ...others } = this.state.filters;
    return { sort: MOST_PRESSING, ...others, ...(owner === "" ? { unowned: true } : owner && { owner }) };
  }

  #shownStages() {
    const { filters, summary } = this.state;
    const all = summary.stages.map((each) => each.stage);
    return filters.stage?.length ? all.filter((stage) => filters.stage.includes(stage)) : all;
  }

  /** Distributes the clients of one answer, which has all of them, over the columns. */
  #showEveryone(list, summary) {
    const columns = Object.fromEntries(summary.stages.map(({ stage }) => [stage, { ids: [], next: null }]));
    for (const client of list) columns[client.stage]?.ids.push(client.id);
    this.store.set({ columns, clients: this.#withClients(list) });
  }

  #withClients(list) {
    const clients = new Map(this.state.clients);
    for (const client of list) {
      // An unchanged client stays the same object, so its card isn't rendered again.
      const known = clients.get(client.id);
      if (!known || JSON.stringify(known) !== JSON.stringify(client)) clients.set(client.id, client);
    }
    return clients;
  }

  async #loadColumn(stage, asked = this.#asked) {
    // Enough for what is visible or has the focus, also if the user scrolls during the load.
    const wanted = () => {
      const ids = this.state.columns[stage]?.ids ?? [];
      return Math.max(PAGE, (this.#sight.get(stage)?.last ?? 0) + 1, ids.indexOf(this.state.active) + 1);
    };
    try {
      const loaded = [];
      let after;
      do {
        const size = Math.min(wanted() - loaded.length, LARGEST_PAGE);
        const page = await this.#api.clients({ ...this.#filters(), stage }, { after, size });
        loaded.push(...page.clients);
        after = page.next;
      } while (after != null && loaded.length < wanted());
      if (asked !== this.#asked) return;
      this.#setColumn(stage, { ids: loaded.map((each) => each.id), next: after, error: null, loading: false }, loaded);
    } catch (error) {
      if (asked === this.#asked && error.status !== 401) this.#setColumn(stage, { error, loading: false });
    }
  }

  #setColumn(stage, column, loaded = []) {
    const before = this.state.columns[stage] ?? { ids: [], next: null };
    this.store.set({
      columns: { ...this.state.columns, [stage]: { ...before, ...column } },
      clients: this.#withClients(loaded),
    });
  }

  /** Records which cards of a column are visible, by position. */
  looksAt(stage, first, last) {
    this.#sight.set(stage, { first, last });
    const column = this.state.columns[stage];
    if (column && !column.error && last >= column.ids.length - NEAR_THE_END) this.showMore(stage);
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => this.#askAllowed(), LOOKING_MS);
  }

  /** Loads the next page of a column, doubling what is loaded, so a long column takes few steps. */
  async showMore(stage) {
    const column = this.state.columns[stage];
    if (!column || column.next == null || column.loading) return;
    const asked = this.#asked;
    this.#setColumn(stage, { loading: true, error: null });
    try {
      const size = Math.min(Math.max(PAGE, column.ids.length), LARGEST_PAGE);
      const page = await this.#api.clients({ ...this.#filters(), stage }, { after: column.next, size });
      if (asked !== this.#asked) {
        this.#setColumn(stage, { loading: false });
        return;
      }
      const known = this.state.columns[stage].ids;
      const ids = [...new Set([...known, ...page.clients.map((each) => each.id)])];
      this.#setColumn(stage, { ids, next: page.next, loading: false }, page.clients);
    } catch (error) {
      if (error.status !== 401) this.#setColumn(stage, { loading: false, error });
    }
  }

  /** Requests what this actor may do with each visible client. */
  async #askAllowed() {
    if (!this.#api) return;
    const { clients, columns, allowed } = this.state;
    const inSight = [...this.#sight].flatMap(([stage, { first, last }]) => columns[stage]?.ids.slice(first, last + 1) ?? []);
    const missing = inSight.filter((id) => allowed.get(id)?.version !== clients.get(id)?.version);
    await this.learnAllowed(missing).catch(() => {});
  }

  async learnAllowed(ids) {
    for (let begin = 0; begin < ids.length; begin += BATCH) {
      const answers = await this.#api.allowed(ids.slice(begin, begin + BATCH));
      this.store.set({ allowed: new Map([...this.state.allowed, ...answers]) });
    }
  }

  setFilters(filters) {
    this.store.set({ filters });
    writeAddress(this.state, { replace: true });
    this.#again(() => this.reload());
  }

  /** Runs an action of a filter or view; shows a failure above the board. */
  async #again(action) {
    try {
      await action();
    } catch (error) {
      if (error.status !== 401) this.store.set({ problem: error });
    }
  }

  show(view) {
    this.store.set({ view, drawer: null });
    writeAddress(this.state);
    this.#showView();
  }

  #showView() {
    if (this.state.view === "queue") this.#again(() => this.loadQueue());
    if (this.state.view === "report") this.#again(() => this.loadReport());
  }

  async loadQueue() {
    const items = await this.#api.queue();
    this.store.set({ queue: items, clients: this.#withClients(items.map((each) => each.client)) });
    this.learnAllowed(items.map((each) => each.client.id)).catch(() => {});
  }

  showMonth(month) {
    this.store.set({ month });
    writeAddress(this.state, { replace: true });
    this.#again(() => this.loadReport());
  }

  async loadReport() {
    const { month } = this.state;
    this.store.set({ report: { ...this.state.report, loading: true } });
    try {
      const answer = await this.#api.closes(month ?? undefined);
      if (month === this.state.month) this.store.set({ report: answer });
      const months = await this.#api.closesByMonth(answer.month);
      if (this.state.report === answer) this.store.set({ report: { ...answer, months } });
    } catch (error) {
      this.store.set({ report: null });
      throw error;
    }
  }

  #followAddress() {
    const { filters } = this.state;
    const address = readAddress();
    this.store.set(address);
    if (!this.#api || !this.state.summary) return;
    if (JSON.stringify(filters) !== JSON.stringify(address.filters)) this.#again(() => this.reload());
    if (address.client && this.state.drawer?.id !== address.client) this.#openDrawer(address.client);
    if (!address.client && this.state.drawer) this.store.set({ drawer: null });
    this.#showView();
  }

  setActive(id) {
    if (id !== this.state.active) this.store.set({ active: id });
  }

  choose(id, chosen) {
    this.chooseAll([id], chosen);
  }

  chooseAll(ids, chosen) {
    const next = new Set(this.state.chosen);
    for (const id of ids) {
      if (chosen) next.add(id);
      else next.delete(id);
    }
    this.store.set({ chosen: next });
  }

  clearSelection() {
    this.store.set({ chosen: new Set() });
  }

  say(announcement) {
    this.store.set({ announcement });
  }

  // ---- one client

  openClient(id) {
    this.store.set({ client: id });
    writeAddress(this.state);
    return this.#openDrawer(id);
  }

  closeClient() {
    this.store.set({ drawer: null, client: null });
    writeAddress(this.state);
  }

  async #openDrawer(id) {
    this.store.set({ drawer: { id, client: this.state.clients.get(id) ?? null, rows: [], next: null, edit: null } });
    await this.refreshDrawer();
  }

  #setDrawer(id, patch) {
    if (this.state.drawer?.id === id) this.store.set({ drawer: { ...this.state.drawer, ...patch } });
  }

  async refreshDrawer() {
    const { id } = this.state.drawer;
    try {
      // The client comes first: a later change then has a newer version, so the feed reloads client and history together.
      const client = await this.#api.client(id);
      const [history] = await Promise.all([this.#api.history(id), this.learnAllowed([id])]);
      this.#setDrawer(id, { client, rows: history.rows, next: history.next, error: null });
      this.store.set({ clients: this.#withClients([client]) });
    } catch (error) {
      this.#setDrawer(id, { error });
    }
  }

  async showOlder() {
    const { id, next } = this.state.drawer;
    try {
      const history = await this.#api.history(id, next);
      this.#setDrawer(id, { rows: [...history.rows, ...this.state.drawer.rows], next: history.next });
    } catch (error) {
      this.#setDrawer(id, { error });
    }
  }

  /** Keeps the typed values of a client's fields separate from the stored ones. */
  edit(patch) {
    const { id, client, edit } = this.state.drawer;
    const begun = edit ?? { values: {}, reason: "", version: client.version, key: newKey() };
    this.#setDrawer(id, { edit: { ...begun, ...patch, values: { ...begun.values, ...patch.values }, error: null, conflict: null } });
  }

  dropEdit() {
    this.#setDrawer(this.state.drawer.id, { edit: null });
  }

  async saveEdit() {
    const { id, edit } = this.state.drawer;
    this.#setDrawer(id, { edit: { ...edit, sending: true, error: null } });
    const { values, reason, version, key } = edit;
    const emptied = Object.keys(values).filter((name) => isEmpty(values[name]));
    const filled = Object.fromEntries(Object.entries(values).filter(([name]) => !emptied.includes(name)));
    const change = { ...filled, expected_version: version, ...(reason && { reason }), ...(emptied.length && { clear: emptied }) };
    try {
      const answer = await this.#api.update(id, change, key);
      this.#setDrawer(id, { edit: null });
      this.#took(answer.client);
      this.say(`${answer.client.name}: saved.`);
      await this.#catchUp([answer.client]);
    } catch (error) {
      await this.#editRefused(id, edit, error);
    }
  }

  async #editRefused(id, edit, error) {
    if (!isConflict(error)) {
      // A corrected request is a new one and gets a new key. A request without an answer is repeated with its key.
      this.#setDrawer(id, { edit: { ...edit, sending: false, error, key: error.away ? edit.key : newKey() } });
      return;
    }
    const conflict = await this.#changesSince(id, edit.version);
    this.#setDrawer(id, { edit: { ...edit, sending: false, conflict } });
  }

  /** Takes the client's current version after a conflict and keeps what was typed. */
  async lookAgainAtEdit() {
    const { id, edit } = this.state.drawer;
    await this.refreshDrawer();
    const { client } = this.state.drawer;
    this.#setDrawer(id, { edit: { ...edit, version: client.version, key: newKey(), conflict: null, error: null, sending: false } });
  }

  // ---- changes: one dialog each. Its contents are kept here, so they survive reloads of the views

  openMove(ids, to = null) {
    this.#openChange({ kind: "move", ids, to });
    this.learnAllowed(ids).catch((error) => this.editChange({ error }));
  }

  openFlag(ids, flag = null, setting = true) {
    this.#openChange({ kind: "flag", ids, flag, setting });
    this.learnAllowed(ids).catch((error) => this.editChange({ error }));
  }

  openRollback(id, row) {
    this.#openChange({ kind: "rollback", ids: [id], row });
  }

  openHelp() {
    this.store.set({ dialog: { kind: "help" } });
  }

  #openChange(change) {
    const versions = Object.fromEntries(change.ids.map((id) => [id, this.#known(id)?.version]));
    this.store.set({ dialog: { ...change, versions, reason: "", override: false, key: newKey() } });
  }

  #known(id) {
    return this.state.drawer?.id === id && this.state.drawer.client ? this.state.drawer.client : this.state.clients.get(id);
  }

  editChange(patch) {
    if (this.state.dialog) this.store.set({ dialog: { ...this.state.dialog, ...patch } });
  }

  /** A different choice is a different request and gets a new key. */
  decide(patch) {
    this.editChange({ error: null, ...patch, key: newKey() });
  }

  closeDialog() {
    this.store.set({ dialog: null });
  }

  async submit() {
    const change = this.state.dialog;
    if (change.sending) return;
    this.editChange({ sending: true, error: null });
    try {
      const answer = await this.#send(change);
      if (answer.items) await this.#doneMany(change, answer);
      else await this.#doneOne(change, answer);
    } catch (error) {
      await this.#changeRefused(change, error);
    }
  }

  #send(change) {
    const { kind, ids, reason, key } = change;
    if (kind === "rollback") return this.#api.rollBack(ids[0], change.row.id, reason, key);
    if (kind === "flag") {
      const flag = { flag: change.flag, setting: change.setting, ...(reason && { reason }) };
      return ids.length === 1
        ? this.#api.flag(ids[0], flag, key)
        : this.#api.flagMany(ids.map((id) => ({ client_id: id, flag: flag.flag, set: flag.setting, reason: flag.reason })), key);
    }
    const move = (id) => ({
      to_stage: change.to, reason, expected_version: change.versions[id], ...(change.override && { override: true }),
    });
    return ids.length === 1
      ? this.#api.move(ids[0], move(ids[0]), key)
      : this.#api.moveMany(ids.map((id) => ({ client_id: id, ...move(id) })), key);
  }

  async #doneOne(change, answer) {
    this.closeDialog();
    this.#took(answer.client);
    this.say(answer.changed ? `${answer.client.name}: ${told(change, answer.client)}` : `${answer.client.name}: no change needed.`);
    await this.#catchUp([answer.client]);
  }

  async #doneMany(change, answer) {
    const outcomes = answer.items.map((item) => ({
      id: change.ids[item.index], client: item.client, changed: item.changed, error: refusalOf(item),
    }));
    const done = outcomes.filter((each) => !each.error);
    this.#took(...done.map((each) => each.client));
    this.store.set({
      dialog: { kind: "outcomes", change, outcomes },
      chosen: new Set(outcomes.filter((each) => each.error).map((each) => each.id)),
    });
    this.say(`${plural(done.length, "client")} changed, ${outcomes.length - done.length} refused.`);
    await this.#catchUp(done.map((each) => each.client));
  }

  async #changeRefused(change, error) {
    if (error.status === 401) return;
    if (isConflict(error)) {
      const conflict = await this.#changesSince(change.ids[0], change.versions[change.ids[0]]);
      this.editChange({ sending: false, conflict });
      return;
    }
    this.editChange({ sending: false, error, key: error.away ? change.key : newKey() });
  }

  async #changesSince(id, version) {
    try {
      const [client, { rows }] = await Promise.all([this.#api.client(id), this.#api.history(id), this.learnAllowed([id])]);
      this.#took(client);
      return { client, rows: rows.filter((row) => row.version > version) };
    } catch (error) {
      return { error, rows: [] };
    }
  }

  /** Takes the client's current version after a conflict and keeps what was typed. Clears a target that is no longer allowed. */
  lookAgain() {
    const { ids, to, conflict } = this.state.dialog;
    const client = conflict.client ?? this.#known(ids[0]);
    const stillThere = this.state.allowed.get(client.id)?.moves.some((move) => move.to_stage === to);
    this.editChange({
      conflict: null, versions: { [client.id]: client.version }, key: newKey(), to: stillThere ? to : null,
    });
  }

  /** Shows changed clients at once, in their new columns. */
  #took(...changed) {
    const stages = new Map(changed.map((client) => [client.id, client.stage]));
    const columns = Object.fromEntries(Object.entries(this.state.columns).map(([stage, column]) => {
      const stay = column.ids.filter((id) => (stages.get(id) ?? stage) === stage);
      const here = new Set(stay);
      const come = changed.filter((client) => client.stage === stage && !here.has(client.id)).map((client) => client.id);
      const isSame = !come.length && stay.length === column.ids.length;
      return [stage, isSame ? column : { ...column, ids: [...come, ...stay] }];
    }));
    this.store.set({ columns, clients: this.#withClients(changed) });
  }

  /** Reloads order and counts after an own change: only the database knows them. */
  async #catchUp(changed) {
    try {
      await this.#reloadAround(new Set(changed.map((each) => each.id)), null);
      if (this.state.drawer && changed.some((each) => each.id === this.state.drawer.id)) await this.refreshDrawer();
    } catch (error) {
      if (error.away) this.#isAway();
      else if (error.status !== 401) this.store.set({ problem: error });
    }
  }

  /** Reloads what a change affects: everything if it fits in one page, otherwise the columns of these stages. */
  async #reloadAround(ids, stages) {
    const fits = Object.values(this.state.columns).every((column) => column.next == null);
    if (fits || !stages) {
      await this.reload();
    } else {
      const asked = this.#asked;
      const shown = this.#shownStages().filter((stage) => stages.has(stage));
      const [summary] = await Promise.all([this.#api.summary(), ...shown.map((stage) => this.#loadColumn(stage, asked))]);
      this.store.set({ summary });
    }
    if (this.state.view === "queue") await this.loadQueue();
  }

  // ---- staying fresh

  refreshSoon() {
    this.#pollWait = POLL_MS;
    this.#schedule(0);
  }

  #schedule(wait) {
    clearTimeout(this.#poll);
    if (this.#api && !document.hidden) this.#poll = setTimeout(() => this.#refresh(), wait);
  }

  #onVisible() {
    if (document.hidden) clearTimeout(this.#poll);
    else if (this.state.phase === "signed_in") this.refreshSoon();
  }

  async #refresh() {
    const api = this.#api;
    try {
      const rows = [];
      let answer;
      do {
        answer = await api.changes(this.#cursor);
        rows.push(...answer.rows);
        this.#cursor = answer.cursor;
      } while (answer.more);
      if (this.#api !== api) return;
      await this.#applied(rows);
      this.#isBack();
    } catch (error) {
      if (this.#api !== api) return;
      if (error.away) this.#isAway();
      else await this.#restartFeed(error);
    }
    this.#schedule(this.#pollWait);
  }

  /** Starts again from a new summary: the feed no longer knows the cursor. */
  async #restartFeed(error) {
    if (error.status === 401) return;
    this.store.set({ problem: error });
    await this.#again(async () => {
      const summary = await this.#api.summary();
      this.#cursor = summary.cursor;
      await this.reload(summary);
    });
  }

  async #applied(rows) {
    const news = rows.filter((row) => !(this.state.clients.get(row.client_id)?.version >= row.version));
    const stale = Date.now() - this.#loadedAt > STALE_MS;
    if (!news.length && !stale && !this.state.away) return;
    const ids = new Set(news.map((row) => row.client_id));
    await this.#reloadAround(ids, stale || this.state.away ? null : this.#stagesOf(news));
    this.#highlight(news);
    if (this.state.drawer && (ids.has(this.state.drawer.id) || this.state.away)) await this.refreshDrawer();
  }

  #stagesOf(rows) {
    const stages = rows.flatMap((row) => [row.from_stage, row.to_stage, this.state.clients.get(row.client_id)?.stage]);
    // A change of flags or fields doesn't include the stage, and a filter can bring an unloaded client into any column.
    return rows.some((row) => !row.to_stage && !this.state.clients.has(row.client_id))
      ? new Set(this.#shownStages())
      : new Set(stages);
  }

  #highlight(rows) {
    if (!rows.length) return;
    const changed = new Map(rows.map((row) => [row.client_id, row]));
    this.store.set({ recent: new Map([...this.state.recent, ...changed]) });
    setTimeout(() => {
      const left = [...this.state.recent].filter(([id, row]) => changed.get(id) !== row);
      this.store.set({ recent: new Map(left) });
    }, HIGHLIGHT_MS);
  }

  #isAway() {
    this.#pollWait = Math.min(this.#pollWait * 2, SLOWEST_POLL_MS);
    if (!this.state.away) this.store.set({ away: { since: new Date() } });
  }

  #isBack() {
    this.#pollWait = POLL_MS;
    if (!this.state.away) return;
    this.store.set({ away: null, problem: null });
    this.say("The server can be reached again. Everything is up to date.");
  }
}

const isEmpty = (value) => value === "" || (Array.isArray(value) && !value.length);

/** Another actor's change came first: the user looks at it and decides again. */
const isConflict = (error) => error.rule === "version_conflict";

function told({ kind, flag, setting }, client) {
  if (kind === "flag") return `${title(flag)} ${setting ? "set" : "cleared"}.`;
  if (kind === "rollback") return "rolled back.";
  return `now in ${title(client.stage)}.`;
}
