// The state of the page and its actions: it calls the API, keeps the answers and refreshes them. The views only render.
import { Api, newKey, refusalOf } from "./api.js";
import { Store, nameOf, plural, title, words } from "./ui.js";
import { day as dayName, month as monthName, serverNow } from "./dates.js";
import { cleanToken, forgetToken, onStoredElsewhere, storeToken, storedToken, takeInvite, tokenProblem } from "./token.js";
import { VIEWS, readAddress, writeAddress } from "./address.js";

const PAGE = 100;
const LARGEST_PAGE = 1000;
// The next page is loaded when the view is this many clients from the end of the loaded ones.
const NEAR_THE_END = 30;
// How long cards stay in view before their allowed moves are requested.
const LOOKING_MS = 60;
export const MOST_PRESSING = "sla";
// A change of more clients than these asks once more.
const MANY = 25;
// How long a message without Undo is shown.
const MESSAGE_MS = 10_000;
// The most clients of one check_stages call.
const BATCH = 200;
// Where the browser keeps the saved views, and whether single keys are off.
const SAVED_VIEWS = "atlas-views";
const KEYS_OFF = "atlas-keys-off";
const POLL_MS = 4_000;
const SLOWEST_POLL_MS = 30_000;
// Ages and due times change without a recorded change, so everything is reloaded after this time.
const STALE_MS = 10 * 60_000;
// The feed waits this long for an older transaction without a notice.
const BEHIND_MS = 60_000;
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
  toast: null,
  report: null,
  people: null,
  firm: null,
  activity: null,
  similar: [],
  searched: null,
  away: null,
  problem: null,
  behindSince: null,
};

export class Board {
  #api = null;
  #cursor = null;
  #poll = null;
  #pollWait = POLL_MS;
  #loadedAt = 0;
  // The number of the last reload. Answers to earlier ones are dropped.
  #asked = 0;
  #newest = null;
  // The first and last visible card of each stage.
  #sight = new Map();
  #looking = null;
  #toastEnd = null;

  constructor() {
    this.store = new Store({
      ...NOTHING_KNOWN, phase: "signed_out", invite: null, signIn: null, announcement: "", views: stored(SAVED_VIEWS) ?? [], ...readAddress(),
    });
    addEventListener("popstate", () => this.#followAddress());
    addEventListener("online", () => this.refreshSoon());
    onStoredElsewhere((before, now) => {
      if (before && before === this.#api?.token) this.signOut();
      else if (now && !this.#api) this.signIn(now, true);
    });
    document.addEventListener("visibilitychange", () => this.#onVisible());
  }

  get state() {
    return this.store.state;
  }

  // ---- signing in and out

  /** Signs in with the stored token, if there is one. An invite in the address is offered instead. */
  begin() {
    const invite = takeInvite();
    const { token, onComputer } = storedToken();
    if (invite) this.store.set({ invite });
    else if (token) this.signIn(token, onComputer);
  }

  /** Exchanges the invite for a token, and signs in with it. */
  async acceptInvite(onComputer) {
    this.store.set({ phase: "signing_in", signIn: null });
    try {
      const token = await new Api(this.state.invite, () => {}).acceptInvite();
      this.store.set({ invite: null });
      await this.signIn(token, onComputer);
    } catch (error) {
      this.store.set({ phase: "signed_out", signIn: error, invite: error.away ? this.state.invite : null });
    }
  }

  async signIn(text, onComputer) {
    const token = cleanToken(text);
    const problem = tokenProblem(token);
    if (problem) {
      this.store.set({ signIn: problem });
      return;
    }
    this.store.set({ phase: "signing_in", signIn: null });
    const api = new Api(token, (error) => this.#onRefusedToken(api, error));
    this.#api = api;
    try {
      const [me, summary] = await Promise.all([api.whoAmI(), api.summary()]);
      if (this.#api !== api) return;
      storeToken(token, onComputer);
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
    forgetToken(this.#api?.token);
    clearTimeout(this.#poll);
    this.#api = null;
    const kept = error ? {} : NOTHING_KNOWN;
    this.store.set({ ...kept, phase: "signed_out", signIn: error });
  }

  #onRefusedToken(api, error) {
    if (this.#api === api) this.signOut(error);
  }

  // ---- the view

  /** Reloads all columns and counts. If another reload begins meanwhile, it ends with that one. */
  reload(known) {
    this.#newest = this.#reload(known);
    return this.#newest;
  }

  async #reload(known) {
    const asked = (this.#asked += 1);
    const filters = this.#filters();
    // Filtered clients are counted here, so as many as possible are loaded.
    const size = isFiltered(this.state.filters) ? LARGEST_PAGE : PAGE;
    const [summary, first] = await Promise.all([known ?? this.#api.summary(), this.#api.clients(filters, { size })]);
    if (asked !== this.#asked) {
      await this.#newest;
      return;
    }
    this.#loadedAt = Date.now();
    this.store.set({ summary, problem: null, similar: first.similar, searched: first.searched });
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
    this.store.set({ filters, active: null });
    writeAddress(this.state, { replace: true });
    this.filtered = this.#again(() => this.reload());
  }

  /** Keeps these filters in this browser under a name. */
  saveView(name, filters) {
    this.#setViews([...this.state.views.filter((each) => each.name !== name), { name, filters }]);
  }

  removeView(name) {
    this.#setViews(this.state.views.filter((each) => each.name !== name));
  }

  #setViews(views) {
    localStorage.setItem(SAVED_VIEWS, JSON.stringify(views));
    this.store.set({ views });
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
    this.#again(() => this.#loadView());
  }

  /** Loads what only the present view shows. */
  async #loadView() {
    await this[`load${title(this.state.view)}`]?.();
  }

  async loadFirm() {
    this.store.set({ firm: await this.#api.firm() });
  }

  /** Does something on the page of the firm and shows it as it is then. Returns the answer; null if it was refused. */
  async change(does, said) {
    try {
      const answer = await does(this.#api);
      await this.loadFirm();
      if (said) this.#tell(typeof said === "function" ? said(answer) : said);
      this.store.set({ problem: null });
      return answer;
    } catch (error) {
      if (error.status !== 401) this.store.set({ problem: error });
      return null;
    }
  }

  clearProblem() {
    this.store.set({ problem: null });
  }

  /** Adds a client; the drawer then shows it. */
  async addClient(client) {
    try {
      const answer = await this.#api.createClient(client, newKey());
      this.#tell(`${answer.client.name} is added.`);
      await this.#catchUp([answer.client]);
      this.store.set({ problem: null });
      this.openClient(answer.client.id);
      return true;
    } catch (error) {
      if (error.status !== 401) this.store.set({ problem: error });
      return false;
    }
  }

  /** The newest activity that fits the filters; as much as was shown before. */
  async loadActivity() {
    const { by, of, day } = this.state;
    const rows = [];
    let next;
    do {
      const page = await this.#api.activity(this.state, next);
      rows.push(...page.rows);
      next = page.next;
    } while (next && rows.length < (this.state.activity?.rows.length ?? 0));
    const name = of ? (rows[0]?.client_name ?? (await this.#api.client(of)).name) : null;
    // an answer that comes late doesn't replace that of a newer filter
    if (by === this.state.by && of === this.state.of && day === this.state.day) this.store.set({ activity: { rows, next, name } });
    if (!this.state.people) this.loadPeople().catch(() => {});
  }

  async showOlderActivity() {
    const { activity } = this.state;
    await this.#again(async () => {
      const page = await this.#api.activity(this.state, activity.next);
      if (activity === this.state.activity) this.store.set({ activity: { ...activity, rows: [...activity.rows, ...page.rows], next: page.next } });
    });
  }

  /** `patch`: by (an actor), of (a client's id), day. */
  filterActivity(patch) {
    this.store.set({ ...patch, activity: null });
    writeAddress(this.state, { replace: true });
    this.#again(() => this.loadActivity());
  }

  /** The client that fits typed text best; null: none. */
  async findClient(text) {
    const { clients } = await this.#api.clients({ search: text, active: null }, { size: 20 });
    return clients.find((each) => each.name.toLowerCase() === text.toLowerCase()) ?? clients[0] ?? null;
  }

  /** Undoes a change of this actor's from the list of activity. */
  async undoRow(row) {
    await this.#again(async () => {
      const answer = await this.#api.undo(row.client_id, row.version, newKey());
      this.#took(answer.client);
      this.#tell(`Undone: ${happened(answer)}`);
      await this.#catchUp([answer.client]);
    });
  }

  /** Undoes the batch that these rows are, from the list of activity. */
  async undoRows(rows) {
    await this.#again(async () => {
      const clients = rows.map((row) => ({ id: row.client_id, name: row.client_name }));
      const kept = new Set(await this.#api.undoMany([rows[0].batch], newKey()));
      this.#tell(undone(clients, kept));
      await this.#catchUp(clients);
    });
  }

  async loadPeople() {
    this.store.set({ people: await this.#api.people() });
  }

  async loadQueue() {
    const queue = await this.#api.queue();
    this.store.set({ queue, clients: this.#withClients(queue.items.map((each) => each.client)) });
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

  /** Chooses all clients of a stage that match the filters, also those that aren't loaded yet. */
  async chooseStage(stage) {
    for (let column = this.state.columns[stage]; column.next != null && !column.error; column = this.state.columns[stage]) {
      await this.showMore(stage);
      // Another request for this column may still run.
      await new Promise((go) => setTimeout(go));
    }
    this.chooseAll(this.state.columns[stage].ids, true);
  }

  clearSelection() {
    this.store.set({ chosen: new Set() });
  }

  get keysOff() {
    return stored(KEYS_OFF) ?? false;
  }

  setKeysOff(isOff) {
    localStorage.setItem(KEYS_OFF, JSON.stringify(isOff));
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
      const [history] = await Promise.all([this.#api.activity({ of: id }), this.learnAllowed([id])]);
      this.#setDrawer(id, { client, ...history, error: null });
      this.store.set({ clients: this.#withClients([client]) });
    } catch (error) {
      this.#setDrawer(id, { error });
    }
  }

  async showOlder() {
    const { id, next } = this.state.drawer;
    try {
      const older = await this.#api.activity({ of: id }, next);
      this.#setDrawer(id, { rows: [...this.state.drawer.rows, ...older.rows], next: older.next });
    } catch (error) {
      this.#setDrawer(id, { error });
    }
  }

  /** Keeps the typed values of a client's fields separate from the stored ones. */
  edit(patch) {
    const { id, client, edit } = this.state.drawer;
    const begun = edit ?? { values: {}, reason: "", version: client.version, key: newKey() };
    this.#setDrawer(id, { edit: { ...begun, ...patch, values: { ...begun.values, ...patch.values }, error: null, conflict: null, unknown: null } });
  }

  dropEdit() {
    this.#setDrawer(this.state.drawer.id, { edit: null });
  }

  async saveEdit() {
    const { id, edit } = this.state.drawer;
    const unknown = await this.#unknownActors(edit.values, edit.unknown);
    if (unknown) {
      this.#setDrawer(id, { edit: { ...edit, unknown } });
      return;
    }
    this.#setDrawer(id, { edit: { ...edit, sending: true, error: null } });
    const { values, reason, version, key } = edit;
    const change = { ...fieldsOf(values), expected_version: version, ...(reason && { reason }) };
    try {
      const answer = await this.#api.update(id, change, key);
      this.#setDrawer(id, { edit: null });
      this.#took(answer.client);
      this.#tell(happened(answer), answer.changed ? { client: answer.client, key: newKey() } : null);
      await this.#catchUp([answer.client]);
    } catch (error) {
      await this.#editRefused(id, edit, error);
    }
  }

  /** The actors among typed values whom the firm doesn't know, unless the user was asked about them; null: none. */
  async #unknownActors(values = {}, asked = null) {
    const typed = ["owner", "collaborators", "reviewers"].flatMap((name) => values[name] ?? []).filter((each) => each.includes(":"));
    if (!typed.length) return null;
    if (!this.state.people) await this.loadPeople().catch(() => {});
    const known = new Set([...(this.state.people?.people ?? []).map((each) => each.actor_id), ...(asked ?? [])]);
    const unknown = this.state.people ? typed.filter((each) => !known.has(each)) : [];
    return unknown.length ? unknown : null;
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

  /** `isFixed`: the dialog offers no other stage. */
  openMove(ids, to = null, isFixed = false) {
    this.#openChange({ kind: "move", ids, to, isFixed });
    this.learnAllowed(ids).catch((error) => this.editChange({ error }));
  }

  openFlag(ids, flag = null, setting = true) {
    this.#openChange({ kind: "flag", ids, flag, setting });
    this.learnAllowed(ids).catch((error) => this.editChange({ error }));
  }

  openRollback(id, row) {
    this.#openChange({ kind: "rollback", ids: [id], row });
  }

  openFields(ids) {
    this.#openChange({ kind: "fields", ids, name: "owner", values: {} });
    this.learnAllowed(ids).catch((error) => this.editChange({ error }));
    this.loadPeople().catch(() => {});
  }

  /** `kind`: invite, role, hand_over or leave. `person`: as `people` returned it; null for a new one. */
  openPerson(kind, person = null) {
    this.store.set({ dialog: { kind, person, actor: person?.actor_id ?? "", role: person?.role ?? "", to: "", reason: "", until: "", key: newKey() } });
  }

  openCover(cover) {
    this.store.set({ dialog: { kind: "cover", cover, until: "", reason: "" } });
  }

  /** Ends the cover of the dialog now, or moves its day. */
  async submitCover() {
    const { cover, until, reason, sending } = this.state.dialog;
    if (sending) return;
    this.editChange({ sending: true, error: null });
    try {
      const { given_back: back, left } = await this.#api.setCover(cover.cover_id, until, reason);
      const refused = left.map((facts) => ({ id: facts.client_id, error: { message: facts.text } }));
      this.store.set({ dialog: refused.length ? { kind: "outcomes", refused, count: back + refused.length } : null });
      this.#tell(until ? `The cover is until ${dayName(until)}.` : `${plural(back, "client")} given back to ${nameOf(cover.from_actor_id)}.`);
      await this.#catchUp([]);
    } catch (error) {
      if (error.status !== 401) this.editChange({ sending: false, error });
    }
  }

  /** Sends the dialog of a person. */
  async submitPerson() {
    const { kind, actor, role, to, reason, until, key, sending } = this.state.dialog;
    if (sending) return;
    this.editChange({ sending: true, error: null });
    try {
      if (kind === "invite") {
        const invite = await this.#api.invite(actorOf(actor), role);
        this.editChange({ sending: false, invite, actor: actorOf(actor) });
      } else {
        const answer = kind === "role" ? await this.#api.setRole(actor, role)
          : kind === "hand_over" ? await this.#api.handOver(actor, actorOf(to), reason, until, key)
            : await this.#api.leave(actor, to && actorOf(to), reason, key);
        this.#personDone(kind, actor, answer, until);
      }
      await this.loadPeople();
    } catch (error) {
      if (error.status !== 401) this.editChange({ sending: false, error, key: error.away ? key : newKey() });
    }
  }

  #personDone(kind, actor, answer, until) {
    const { done, left, batch } = (kind === "leave" ? answer.handed_over : answer) ?? {};
    const refused = (left ?? []).map((facts) => ({ id: facts.client_id, error: { message: facts.text } }));
    this.store.set({ dialog: refused.length ? { kind: "outcomes", refused, count: done + refused.length } : null });
    const texts = {
      role: () => `${nameOf(actor)} is now ${words(answer.role)}.`,
      hand_over: () => `${plural(done, "client")} handed over${until ? ` until ${dayName(until)}` : ""}.`,
      leave: () => `${nameOf(actor)} no longer has access.${done == null ? "" : ` ${plural(done, "client")} handed over.`}`,
    };
    this.#tell(texts[kind](), batch ? { clients: [], batches: [batch], key: newKey(), text: `${plural(done, "client")}` } : null);
    this.#catchUp([]);
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
    this.editChange({ error: null, isAsking: false, unknown: null, ...patch, key: newKey() });
  }

  closeDialog() {
    this.store.set({ dialog: null });
  }

  async submit() {
    const change = this.state.dialog;
    if (change.sending) return;
    const unknown = await this.#unknownActors(change.values, change.unknown);
    if (unknown) {
      this.editChange({ unknown });
      return;
    }
    if (change.ids.length > MANY && !change.isAsking) {
      this.editChange({ isAsking: true });
      return;
    }
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
    if (kind === "fields") {
      const values = fieldsOf(change.values);
      return this.#api.updateMany(ids.map((id) => ({ client_id: id, ...values, ...(reason && { reason }) })), key);
    }
    const move = (id) => ({
      to_stage: change.to, reason, expected_version: change.versions[id], ...(change.override && { override: true }),
      ...(this.opensClose(change, id) && { close_period: change.period ?? this.state.allowed.get(id)?.close_period }),
    });
    return ids.length === 1
      ? this.#api.move(ids[0], move(ids[0]), key)
      : this.#api.moveMany(ids.map((id) => ({ client_id: id, ...move(id) })), key);
  }

  async #doneOne(change, answer) {
    this.closeDialog();
    this.#took(answer.client);
    const { client, changed } = answer;
    this.choose(client.id, false);
    const undo = changed && change.kind !== "rollback" ? { client, key: newKey() } : null;
    this.#tell(changed ? happened(answer) : `${client.name}: no change needed.`, undo);
    await this.#catchUp([client]);
  }

  /** True if the change is a move of this client that opens a close, so that its month can be chosen. */
  opensClose({ kind, to }, id) {
    return kind === "move" && Boolean(this.state.allowed.get(id)?.opens_close.includes(to));
  }

  /** Shows a message; with `undo`, the last change can be undone as long as the database allows. */
  #tell(text, undo = null) {
    const minutes = undo ? this.state.summary.undo_minutes : 0;
    this.store.set({ toast: { text, undo: minutes ? undo : null } });
    this.say(text);
    clearTimeout(this.#toastEnd);
    this.#toastEnd = setTimeout(() => this.closeToast(), minutes ? minutes * 60_000 : MESSAGE_MS);
  }

  closeToast() {
    this.store.set({ toast: null });
  }

  async undo() {
    const { toast } = this.state;
    if (!toast?.undo || toast.sending) return;
    const { client, key, clients, batches } = toast.undo;
    this.store.set({ toast: { ...toast, sending: true, error: null } });
    try {
      if (client) {
        const answer = await this.#api.undo(client.id, client.version, key);
        this.#took(answer.client);
        this.#tell(`Undone: ${happened(answer)}`);
      } else {
        const kept = new Set(await this.#api.undoMany(batches, key));
        this.#tell(toast.undo.text ? `Undone: ${toast.undo.text} as before.` : undone(clients, kept));
      }
      await this.#catchUp(client ? [client] : clients);
    } catch (error) {
      if (error.status === 401) return;
      const message = isConflict(error) ? `${client.name} has changed since. Your change wasn't undone` : error.message;
      this.store.set({ toast: { ...toast, undo: error.away ? toast.undo : null, error: { message, hint: error.hint } } });
    }
  }

  async #doneMany(change, answer) {
    const outcomes = answer.items.map((item) => ({
      id: change.ids[item.index], client: item.client, changed: item.changed, error: refusalOf(item),
    }));
    const done = outcomes.filter((each) => !each.error);
    this.#took(...done.map((each) => each.client));
    const refused = outcomes.filter((each) => each.error);
    this.store.set({
      dialog: refused.length ? { kind: "outcomes", refused, count: outcomes.length } : null,
      chosen: new Set(refused.map((each) => each.id)),
    });
    const changed = done.filter((each) => each.changed).map((each) => each.client);
    const text = [
      changed.length ? happenedToMany(change, changed.length) : "No change needed.",
      refused.length && `${plural(refused.length, "client was", "clients were")} refused.`,
    ].filter(Boolean).join(" ");
    this.#tell(text, changed.length ? { clients: changed, batches: answer.batches, key: newKey() } : null);
    await this.#catchUp(done.map((each) => each.client));
  }

  async #changeRefused(change, error) {
    if (error.status === 401) return;
    if (isConflict(error)) {
      const [id] = change.ids;
      const conflict = await this.#changesSince(id, change.versions[id]);
      const isOffered = this.state.allowed.get(id)?.moves.some((move) => move.to_stage === change.to);
      this.editChange({ sending: false, conflict, to: isOffered ? change.to : null });
      return;
    }
    this.editChange({ sending: false, error, key: error.away ? change.key : newKey() });
  }

  async #changesSince(id, version) {
    try {
      const [client, { rows }] = await Promise.all([this.#api.client(id), this.#api.activity({ of: id }), this.learnAllowed([id])]);
      this.#took(client);
      return { client, rows: rows.filter((row) => row.version > version).reverse() };
    } catch (error) {
      return { error, rows: [] };
    }
  }

  /** Takes the client's current version after a conflict and keeps what was typed. */
  lookAgain() {
    const { ids, conflict } = this.state.dialog;
    const client = conflict.client ?? this.#known(ids[0]);
    this.editChange({ conflict: null, versions: { [client.id]: client.version }, key: newKey() });
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
    if (VIEWS[this.state.view].isLive) await this.#loadView();
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
      const since = answer.behindSince && new Date(answer.behindSince);
      const isBehind = since && serverNow() - since > BEHIND_MS;
      await this.#applied(rows, isBehind);
      this.store.set({ behindSince: isBehind ? since : null });
      this.#isBack();
      if (isBehind) this.#pollWait = SLOWEST_POLL_MS;
    } catch (error) {
      if (this.#api !== api) return;
      // The feed alone is stopped: lists and changes work.
      if (error.rule === "feed_not_in_order") this.#pollWait = SLOWEST_POLL_MS;
      if (error.away && error.rule !== "feed_not_in_order") this.#isAway();
      else await this.#restartFeed(error);
    }
    this.#schedule(this.#pollWait);
  }

  /** Starts again from a new summary: the feed no longer knows the cursor, or is stopped. */
  async #restartFeed(error) {
    if (error.status === 401) return;
    this.store.set({ problem: error });
    await this.#again(async () => {
      const summary = await this.#api.summary();
      this.#cursor = summary.cursor;
      await this.reload(summary);
      if (error.rule === "feed_not_in_order") this.store.set({ problem: error });
    });
  }

  async #applied(rows, isBehind) {
    const news = rows.filter((row) => !(this.state.clients.get(row.client_id)?.version >= row.version));
    const stale = isBehind || Date.now() - this.#loadedAt > STALE_MS;
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
    if (!this.state.away) this.store.set({ away: { since: serverNow() } });
  }

  #isBack() {
    this.#pollWait = POLL_MS;
    if (this.state.problem?.rule === "feed_not_in_order") this.store.set({ problem: null });
    if (!this.state.away) return;
    this.store.set({ away: null, problem: null });
    this.say("The server can be reached again. Everything is up to date.");
  }
}

/** True if the filters leave clients out of the columns that are shown. */
export const isFiltered = (filters) => Object.keys(filters).some((name) => name !== "sort" && name !== "stage");

/** Typed values as arguments: what was emptied is named in `clear`. */
function fieldsOf(values) {
  const emptied = Object.keys(values).filter((name) => isEmpty(values[name]));
  const filled = Object.fromEntries(Object.entries(values).filter(([name]) => !emptied.includes(name)));
  return { ...filled, ...(emptied.length && { clear: emptied }) };
}

/** An actor id: a name alone is a person's. */
const actorOf = (text) => (text.includes(":") ? text : `user:${text}`).trim();

const isEmpty = (value) => value === "" || (Array.isArray(value) && !value.length);

function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

/** Another actor's change came first: the user looks at it and decides again. */
const isConflict = (error) => error.rule === "version_conflict";

/** What a history row did to its client. */
function happened({ client, history }) {
  if (!history) return `${client.name}: no change needed.`;
  const { to_stage: to, close_period: period, flag_added: added, flag_removed: removed } = history;
  if (added) return `${client.name} now has the flag ${words(added)}.`;
  if (removed) return `${client.name} no longer has the flag ${words(removed)}.`;
  if (!to) return `${client.name}: details changed.`;
  return `${client.name} is now in ${title(to)}${period && period === client.close_period ? `, for ${monthName(period)}` : ""}.`;
}

function happenedToMany({ kind, to, flag, setting, name }, count) {
  const who = plural(count, "client");
  if (kind === "fields") return `${who}: ${words(name)} changed.`;
  if (kind === "move") return `${who} ${count === 1 ? "is" : "are"} now in ${title(to)}.`;
  const has = count === 1 ? "has" : "have";
  return `${who} ${setting ? `now ${has}` : `no longer ${has}`} the flag ${words(flag)}.`;
}

/** `kept`: the ids of the clients whose change something later depends on. */
function undone(clients, kept) {
  const left = clients.filter((each) => kept.has(each.id));
  const text = `Undone for ${plural(clients.length - left.length, "client")}.`;
  return left.length ? `${text} Not undone, because something later depends on it: ${left.map((each) => each.name).join(", ")}.` : text;
}
