// The page: the sign-in form, or the board.
import { Board } from "./board.js";
import { Refusal, html, nameOf, render, sentence, title, useEffect, useLayoutEffect, useRef, useState, words } from "./ui.js";
import { VIEWS } from "./address.js";
import { clock } from "./dates.js";
import { load } from "./start.js";
import { Columns } from "./views/columns.js";
import { Filters } from "./views/filters.js";
import { Drawer } from "./views/drawer.js";
import { Dialogs } from "./views/dialogs.js";
import { Actor, Toast } from "./views/parts.js";

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
  const keep = useRef();
  const busy = state.phase === "signing_in";
  useEffect(() => field.current?.focus(), [state.signIn]);
  const submit = (event) => {
    event.preventDefault();
    if (busy) return;
    if (state.invite) board.acceptInvite(keep.current.checked);
    else board.signIn(field.current.value, keep.current.checked);
  };
  return html`
    <main class="door" translate="yes">
      <form onSubmit=${submit}>
        <img src="/board/icon.svg" alt="" width="40" height="40" />
        <h1>Stage board</h1>
        <p>See which stage each client is in, what is late, and what to do next.</p>
        ${state.invite ? html`<p><strong>You're invited.</strong> This link works once.</p>` : html`
        <label for="token">Your token</label>
        <input
          id="token" name="token" ref=${field} type="password" required autocomplete="current-password" spellcheck="false" autocapitalize="none"
          aria-describedby="token-help" placeholder="atl_…" readOnly=${busy}
        />`}
        <label class="check"><input type="checkbox" ref=${keep} /> Keep me signed in on this computer</label>
        <button class="primary" aria-disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
        <p id="token-help" class="quiet">Otherwise you're signed in until you close this tab.${!state.invite && html` An admin can send you a link, or issue a token: <code translate="no">atlas-stage token issue user:you --days 90</code>`}</p>
        ${!isSecureContext && html`<p class="quiet"><strong>Not encrypted.</strong> Others on this network could read your token.</p>`}
        ${state.signIn && html`<${Refusal} error=${state.signIn.status === 401 && state.signIn.rule !== "invite_not_valid" ? refusedToken(state) : state.signIn} />`}
      </form>
    </main>`;
}

/** The server doesn't say whether a token is mistyped, revoked or expired. */
const refusedToken = (state) => ({
  message: state.me ? "you were signed out because your token is no longer valid" : sentence(state.signIn.message),
  hint: `the token is mistyped, revoked or expired. Paste it again, or ask an admin for a new one${state.dialog ? ". What you typed is kept until you close this tab" : ""}`,
});

function Page({ board, state }) {
  const { view, away, problem, behindSince, me } = state;
  useKeys(board);
  return html`
    <header class="top">
      <div class="brand"><img src="/board/icon.svg" alt="" width="24" height="24" /><h1>Stage board</h1></div>
      <nav aria-label="Views">
        ${Object.entries(VIEWS).map(([name, { label }]) => html`
          <button type="button" aria-current=${view === name ? "page" : null} onClick=${() => board.show(name)}>${label}</button>`)}
      </nav>
      <span class="spring"></span>
      ${!isSecureContext && html`<span class="quiet" title="Others on this network could read what you see and your token. Ask an admin for an address that begins with https.">Not encrypted</span>`}
      <button type="button" class="icon-button" aria-label="Keyboard and help" title="Keyboard and help" onClick=${() => board.openHelp()}>?</button>
      <${Me} board=${board} me=${me} />
    </header>
    ${away && html`
      <div class="notice warn" role="alert">
        <strong>Can't reach the server</strong> since ${clock(away.since)}. You're seeing the board as of then. Nothing you typed
        is lost. Retrying… <button type="button" onClick=${() => board.refreshSoon()}>Try now</button>
      </div>`}
    ${behindSince && !away && html`
      <div class="notice warn" role="status">
        <strong>Live updates are delayed</strong> since ${clock(behindSince)}: another program has an unfinished transaction. The board
        reloads every 30 seconds. <button type="button" onClick=${() => board.refreshSoon()}>Reload now</button>
      </div>`}
    ${problem && !away && html`<div class="notice"><${Refusal} error=${problem} /></div>`}
    ${view === "board" ? html`<${Filters} board=${board} state=${state} /><${Columns} board=${board} state=${state} />`
      : html`<${Later} key=${view} name=${view} board=${board} state=${state} />`}
    ${!state.drawer && html`<${Toast} board=${board} toast=${state.toast} />`}
    ${state.drawer && html`<${Drawer} key=${state.drawer.id} board=${board} state=${state} />`}
    ${state.dialog && html`<${Dialogs} key=${state.dialog.kind} board=${board} state=${state} />`}`;
}

/** The keys that work wherever the focus is, except while typing or choosing. */
function useKeys(board) {
  // Before the page is painted: who sees it may press a key.
  useLayoutEffect(() => {
    const press = (event) => {
      const { dialog, drawer, chosen } = board.state;
      const { target } = event;
      const isTyping = target.matches("textarea, select, input:not([type=checkbox], [type=radio])");
      if (dialog || isTyping || event.ctrlKey || event.metaKey || event.altKey || board.keysOff) return;
      const card = target.closest("[data-card]") ?? document.querySelector("[data-card]:has(.card-name[tabindex='0'])");
      const id = drawer?.id ?? Number(card?.dataset.card);
      // A selected client moves with the whole selection, any other client alone.
      const ids = !drawer && (chosen.has(id) || (chosen.size && !target.closest("[data-card]"))) ? [...chosen] : id ? [id] : [];
      const action = {
        m: () => ids.length && board.openMove(ids),
        f: () => ids.length && board.openFlag(ids),
        u: () => board.undo(),
        "?": () => board.openHelp(),
        ...(!drawer && {
          x: () => id && board.state.view === "board" && board.choose(id, !chosen.has(id)),
          "/": () => goToSearch(board),
          Escape: () => target.closest("details") || board.clearSelection(),
        }),
      }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function goToSearch(board) {
  const focus = () => document.getElementById("search").focus();
  if (board.state.view === "board") return focus();  // at once: the next letter may come before a timer
  board.show("board");
  setTimeout(focus);
}

/** The signed-in actor and its permissions, with the scope of each grant. */
function Me({ board, me }) {
  return html`
    <details class="menu" onKeyDown=${(event) => { if (event.key === "Escape") event.currentTarget.open = false; }}>
      <summary aria-label=${`You are ${nameOf(me.actor_id)}: permissions and sign-out`}><${Actor} id=${me.actor_id} /></summary>
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

/** A view that is loaded when it's opened, so the board doesn't wait for it. */
function Later({ name, ...props }) {
  const [View, setView] = useState(null);
  useEffect(() => {
    load(`/board/views/${name}.js`).then((module) => setView(() => module[title(name)]));
  }, []);
  return View ? html`<${View} ...${props} />` : html`<main class="page"><p class="quiet">Loading…</p></main>`;
}

render(html`<${App} board=${new Board()} />`, document.getElementById("page"));
