// The page: the sign-in form, or the board.
import { Board } from "./board.js";
import { Refusal, html, render, sentence, useEffect, useRef, useState, words } from "./ui.js";
import { clock } from "./dates.js";
import { Columns } from "./views/columns.js";
import { Filters } from "./views/filters.js";
import { Queue } from "./views/queue.js";
import { Drawer } from "./views/drawer.js";
import { Dialogs } from "./views/dialogs.js";

function App({ board }) {
  const [state, setState] = useState(board.state);
  useEffect(() => {
    const stop = board.store.listen(setState);
    board.begin();
    return stop;
  }, []);
  return html`
    ${state.phase === "signed_in" ? html`<${Page} board=${board} state=${state} />` : html`<${Door} board=${board} state=${state} />`}
    <div class="unseen" role="status" aria-live="polite">${state.announcement}</div>`;
}

function Door({ board, state }) {
  const field = useRef();
  const busy = state.phase === "signing_in";
  useEffect(() => field.current?.focus(), [state.signIn]);
  const submit = (event) => {
    event.preventDefault();
    const token = field.current.value.trim();
    if (token) board.signIn(token);
  };
  return html`
    <main class="door">
      <form onSubmit=${submit} autocomplete="off">
        <img src="/board/icon.svg" alt="" width="40" height="40" />
        <h1>Stage board</h1>
        <p>See which stage each client is in, what is stuck, and what to do next.</p>
        <label for="token">Your token</label>
        <input
          id="token" ref=${field} type="password" required autocomplete="off" spellcheck="false" autocapitalize="none"
          aria-describedby="token-help" placeholder="atl_…" readOnly=${busy}
        />
        <button class="primary" aria-disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
        <p id="token-help" class="quiet">The token is kept in this tab until you close it.
          An admin can issue one: <code>atlas-stage token issue user:you</code></p>
        ${state.signIn && html`<${Refusal} error=${state.signIn.status === 401 ? refusedToken(state) : state.signIn} />`}
      </form>
    </main>`;
}

/** The server doesn't say whether a token is mistyped, revoked or expired. */
const refusedToken = (state) => ({
  message: state.me ? "you were signed out because your token is no longer valid" : sentence(state.signIn.message),
  hint: `the token is mistyped, revoked or expired. Paste it again, or ask an admin for a new one${state.dialog ? ". What you typed is kept until you close this tab" : ""}`,
  facts: {},
});

const VIEWS = [["board", "Board"], ["queue", "My queue"], ["report", "Close report"]];

function Page({ board, state }) {
  const { view, away, problem, me } = state;
  return html`
    <header class="top">
      <div class="brand"><img src="/board/icon.svg" alt="" width="24" height="24" /><h1>Stage board</h1></div>
      <nav aria-label="Views">
        ${VIEWS.map(([name, label]) => html`
          <button type="button" aria-current=${view === name ? "page" : null} onClick=${() => board.show(name)}>${label}</button>`)}
      </nav>
      <span class="spring"></span>
      <button type="button" class="icon-button" aria-label="Keyboard and help" title="Keyboard and help" onClick=${() => board.openHelp()}>?</button>
      <${Me} board=${board} me=${me} />
    </header>
    ${away && html`
      <div class="notice warn" role="alert">
        <strong>Can't reach the server</strong> since ${clock(away.since)}. You're seeing the board as of then. Nothing you typed
        is lost. Retrying… <button type="button" onClick=${() => board.refreshSoon()}>Try now</button>
      </div>`}
    ${problem && !away && html`<div class="notice"><${Refusal} error=${problem} /></div>`}
    ${view === "board" && html`<${Filters} board=${board} state=${state} /><${Columns} board=${board} state=${state} />`}
    ${view === "queue" && html`<${Queue} board=${board} state=${state} />`}
    ${view === "report" && html`<${Report} board=${board} state=${state} />`}
    ${state.drawer && html`<${Drawer} key=${state.drawer.id} board=${board} state=${state} />`}
    ${state.dialog && html`<${Dialogs} key=${state.dialog.kind} board=${board} state=${state} />`}`;
}

/** The signed-in actor and its permissions, with the scope of each grant. */
function Me({ board, me }) {
  return html`
    <details class="menu" onKeyDown=${(event) => { if (event.key === "Escape") event.currentTarget.open = false; }}>
      <summary aria-label=${`You are ${me.actor_id}: permissions and sign-out`}><span dir="auto">${me.actor_id}</span></summary>
      <div class="menu-body">
        <h2>Your permissions</h2>
        ${me.permissions.length ? html`<ul class="grants">${me.permissions.map(({ permission, scope }) => html`
          <li><strong>${words(permission.replace(/^can_/, ""))}</strong>${scope && html`<span class="quiet"> only ${scopeWords(scope)}</span>`}</li>`)}</ul>`
        : html`<p>You can only view. An admin can grant you more.</p>`}
        <button type="button" onClick=${() => board.signOut()}>Sign out</button>
      </div>
    </details>`;
}

const scopeWords = (scope) =>
  Object.entries(scope).map(([key, values]) => `${words(key)} ${[].concat(values).map((value) => words(String(value))).join(", ")}`).join("; ");

/** The report and its charts are loaded when they're opened, so the board doesn't wait for them. */
function Report(props) {
  const [View, setView] = useState(null);
  useEffect(() => {
    import("./views/report.js").then((module) => setView(() => module.Report));
  }, []);
  return View ? html`<${View} ...${props} />` : html`<main class="page"><p class="quiet">Loading…</p></main>`;
}

render(html`<${App} board=${new Board()} />`, document.getElementById("page"));
