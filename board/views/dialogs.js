// The dialogs of changes: the choice, the reason and the outcome.
import { Dialog, Refusal, html, nameOf, number, plural, title, useLayoutEffect, useRef, words } from "../ui.js";
import { inviteLink } from "../token.js";
import { day as dayName, dayOf, month as monthName, monthBefore, serverNow } from "../dates.js";
import { Actors, Conflict, FIELDS, Field, Row, Unknown } from "./drawer.js";
import { deedOf } from "./parts.js";

export function Dialogs({ board, state }) {
  const { dialog } = state;
  if (dialog.kind === "help") return html`<${Help} board=${board} />`;
  if (dialog.kind === "outcomes") return html`<${Outcomes} board=${board} state=${state} />`;
  if (dialog.kind === "cover") return html`<${CoverDialog} board=${board} state=${state} />`;
  if ("person" in dialog) return html`<${PersonDialog} board=${board} state=${state} />`;
  return html`<${Change} board=${board} state=${state} />`;
}

function Change({ board, state }) {
  const { dialog, clients, drawer, allowed } = state;
  const { kind, ids, reason, conflict, error, sending } = dialog;
  const chosen = ids.map((id) => clients.get(id) || (drawer?.id === id && drawer.client) || { name: dialog.row?.client_name ?? `client ${id}` });
  const names = chosen.map((client) => client.name);
  const deeds = new Set(ids.map((id) => deedOf(allowed.get(id)?.moves.find((move) => move.to_stage === dialog.to))));
  const deed = kind === "move" && deeds.size === 1 && [...deeds][0];
  const who = ids.length === 1 ? names[0] : plural(ids.length, "client");
  const heading = { move: `${deed || "Move"} ${who}`, flag: `${dialog.setting ? "Set a flag on" : "Clear a flag of"} ${who}`, rollback: `Roll back: ${who}`, fields: `Change details of ${who}` }[kind];
  const isOptional = kind === "flag" || kind === "fields";
  const isChosen = kind === "rollback" || (dialog.isFixed && dialog.to);
  const offered = isChosen ? null : choicesOf(state);
  const mayOverride = kind === "move" && ids.every((id) => allowed.get(id)?.override_to.length > 0);
  const isNothing = offered?.length === 0 && !mayOverride;
  const Choice = { move: Targets, flag: FlagChoice, fields: FieldChoice }[kind];
  const place = useFocusOn(Boolean(offered));
  const isReady = { move: dialog.to, flag: dialog.flag, rollback: true, fields: Object.keys(dialog.values ?? {}).length }[kind] && (isOptional || reason.trim());
  const submit = (event) => {
    event.preventDefault();
    if (isReady && !conflict) board.submit();
  };
  return html`
    <${Dialog} title=${heading} onClose=${() => board.closeDialog()}>
      <form class="change" ref=${place} onSubmit=${submit}>
        ${ids.length > 1 && html`<details class="names"><summary>Show clients</summary><ul>${names.map((name) => html`<li dir="auto">${name}</li>`)}</ul></details>`}
        ${!isChosen && !offered && html`<p class="quiet">Checking what you can change…</p>`}
        ${isNothing ? html`<${Nothing} dialog=${dialog} />` : offered && html`<${Choice} board=${board} state=${state} offered=${offered} mayOverride=${mayOverride} />`}
        <${Months} board=${board} state=${state} />
        ${kind === "rollback" && html`<ol class="timeline"><${Row} row=${dialog.row} /></ol>`}
        ${!isNothing && html`<label class="reason"><span>Why${isOptional ? " (optional)" : ""}</span>
          <textarea rows="3" maxlength="2000" dir="auto" required=${!isOptional} data-first=${kind === "rollback" || dialog.to || dialog.flag ? "" : null}
            value=${reason} onInput=${(event) => board.decide({ reason: event.currentTarget.value })}
            onKeyDown=${(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); }}
            placeholder="The reason is kept in the history"></textarea></label>`}
        ${conflict && html`<${Conflict} conflict=${conflict} onLook=${() => board.lookAgain()} />`}
        <${Refusal} error=${error} />
        <${Unknown} actors=${dialog.unknown} />
        ${dialog.isAsking && html`<p class="refusal conflict" role="alert">This changes ${plural(ids.length, "client")} at once. Owners: ${ownersOf(chosen)}.</p>`}
        <div class="buttons end">
          <button type="button" data-first=${isNothing ? "" : null} onClick=${() => board.closeDialog()}>${isNothing ? "Close" : "Cancel"}</button>
          ${!isNothing && html`<button class="primary" disabled=${!isReady || Boolean(conflict)} aria-disabled=${sending} onClick=${(event) => { if (event.detail > 1) event.preventDefault(); }}>
            ${label(dialog, deed)}${dialog.isAsking && ` ${plural(ids.length, "client")}`}</button>`}
        </div>
      </form>
    <//>`;
}

/** The owners of these clients and their numbers, the owner of the most first. */
function ownersOf(clients) {
  const counts = new Map();
  for (const { stage_owner: owner } of clients) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return sorted.map(([owner, count]) => `${owner ? nameOf(owner) : "no owner"} (${number(count)})`).join(", ");
}

// How many months back a close can be opened late.
const MONTHS_BACK = 12;

/** The month of the closes that the move opens: the database's choice for each client, or one for all. */
function Months({ board, state }) {
  const { dialog, allowed } = state;
  const opening = dialog.ids.filter((id) => board.opensClose(dialog, id) && allowed.has(id));
  if (!opening.length) return null;
  const usual = [...new Set(opening.map((id) => allowed.get(id).close_period))].sort();
  const newest = usual.at(-1);
  const months = Array.from({ length: MONTHS_BACK + 2 }, (_, place) => monthBefore(newest, place - 1));
  const chosen = dialog.period ?? (usual.length === 1 ? newest : "");
  return html`
    <label class="reason"><span>Month of the close</span>
      <select onChange=${(event) => board.decide({ period: event.currentTarget.value || undefined })}>
        ${usual.length > 1 && html`<option value="" selected=${!chosen}>The next for each client: ${usual.map(monthName).join(", ")}</option>`}
        ${months.map((each) => html`<option key=${each} value=${each} selected=${each === chosen}>${monthName(each)}</option>`)}
      </select></label>`;
}

function label({ kind, sending, error, setting }, deed) {
  if (sending) return "Sending…";
  if (error?.away) return "Try again";
  return { move: deed || "Move", flag: setting ? "Set the flag" : "Clear the flag", rollback: "Roll back", fields: "Change" }[kind];
}

/** Moves the focus to the choices when they arrive, unless the user is already typing. */
function useFocusOn(isThere) {
  const place = useRef();
  useLayoutEffect(() => {
    if (isThere && !["TEXTAREA", "INPUT"].includes(document.activeElement.tagName)) place.current.querySelector("[data-first]")?.focus();
  }, [isThere]);
  return place;
}

/** What this actor can choose for these clients, as the database answered: stages, flags or details; null until it has. */
function choicesOf({ dialog, allowed, summary }) {
  const { kind, ids, override, setting } = dialog;
  const known = ids.map((id) => allowed.get(id));
  if (!known.every(Boolean)) return null;
  const choices = {
    move: () => summary.stages.filter(({ stage }) =>
      known.some((each) => each.moves.some((move) => move.to_stage === stage)) || (override && known.every((each) => each.override_to.includes(stage)))),
    flag: () => summary.flags.filter(({ flag }) => known.some((each) => (setting ? each.set_flags : each.clear_flags).includes(flag))),
    fields: () => FIELDS.filter(({ name }) => known.every((each) => each.fields.includes(name))),
  };
  return choices[kind]();
}

/** Why there is nothing to choose. */
function Nothing({ dialog: { kind, ids, setting } }) {
  const isOne = ids.length === 1;
  return html`<p>${{
    move: `You don't have permission to move ${isOne ? "this client from its stage" : "any of these clients from their stages"}.`,
    flag: `There are no flags here that you can ${setting ? "set" : "clear"}.`,
    fields: `You don't have permission to change details of ${isOne ? "this client" : "all of these clients"}.`,
  }[kind]}</p>`;
}

/** The stages to choose from, with the number of clients for each. */
function Targets({ board, state, offered, mayOverride }) {
  const { dialog, allowed } = state;
  const all = dialog.ids.length;
  const moves = dialog.ids.flatMap((id) => allowed.get(id).moves);
  return html`
    <fieldset class="targets"><legend>To</legend>
      ${offered.map(({ stage }, place) => {
        const here = moves.filter((move) => move.to_stage === stage);
        const notes = [...new Set(here.map((move) => move.note).filter(Boolean))].join("; ");
        return html`
          <label key=${stage} class="target">
            <input type="radio" name="to" value=${stage} checked=${dialog.to === stage} data-first=${!dialog.to && place === 0 ? "" : null} onChange=${() => board.decide({ to: stage })} />
            <span>${title(stage)}</span>
            <small>${notes}${all > 1 && here.length > 0 && ` · ${here.length} of ${all}`}</small>
          </label>`;
      })}
      ${mayOverride && html`
        <label class="check"><input type="checkbox" checked=${dialog.override} data-first=${offered.length ? null : ""} onChange=${(event) => board.decide({ override: event.currentTarget.checked })} />
          Override the rules as an admin. The history records the override.</label>`}
    </fieldset>`;
}

function FlagChoice({ board, state, offered }) {
  const { dialog, allowed } = state;
  const all = dialog.ids.length;
  const permitted = dialog.ids.flatMap((id) => allowed.get(id)[dialog.setting ? "set_flags" : "clear_flags"]);
  return html`
    <fieldset class="targets"><legend>Flag</legend>
      ${offered.map(({ flag, description }, place) => html`
        <label key=${flag} class="target">
          <input type="radio" name="flag" value=${flag} checked=${dialog.flag === flag} data-first=${!dialog.flag && place === 0 ? "" : null} onChange=${() => board.decide({ flag })} />
          <span>${title(flag)}</span>
          <small>${description}${all > 1 && ` · ${permitted.filter((each) => each === flag).length} of ${all}`}</small>
        </label>`)}
    </fieldset>`;
}

/** One field and its new value, of those that this actor may change for all these clients. */
function FieldChoice({ board, state, offered }) {
  const { dialog, summary } = state;
  const field = offered.find(({ name }) => name === dialog.name) ?? offered[0];
  return html`
    <div class="fields">
      <${Actors} state=${state} />
      <div class="field"><label for="which-field">Detail</label>
        <select id="which-field" data-first onChange=${(event) => board.decide({ name: event.currentTarget.value, values: {} })}>
          ${offered.map(({ name, label }) => html`<option key=${name} value=${name} selected=${name === field.name}>${label}</option>`)}
        </select></div>
      <${Field} key=${field.name} field=${field} client=${null} editable summary=${summary} typed=${dialog.values[field.name]}
        onType=${(value) => board.decide({ name: field.name, values: { [field.name]: value } })} />
    </div>`;
}

const PERSON = {
  invite: { heading: (actor) => (actor ? `A new link for ${actor}` : "Invite someone"), button: "Make the link" },
  role: { heading: (actor) => `What ${actor} may do`, button: "Change the role" },
  hand_over: { heading: (actor) => `Hand over the clients of ${actor}`, button: "Hand over" },
  leave: { heading: (actor) => `${actor} leaves`, button: "End the access" },
};

/** Inviting a person, their role, handing over their clients, and their leaving. */
function PersonDialog({ board, state }) {
  const { dialog } = state;
  const { kind, person, actor, role, to, reason, until, error, sending, invite } = dialog;
  const { heading, button } = PERSON[kind];
  const handsOver = kind === "hand_over" || kind === "leave";
  const isReady = actor.trim() && { invite: true, role, hand_over: to.trim() && reason.trim(), leave: reason.trim() }[kind];
  const submit = (event) => {
    event.preventDefault();
    if (isReady) board.submitPerson();
  };
  return html`
    <${Dialog} title=${heading(person && nameOf(person.actor_id))} onClose=${() => board.closeDialog()}>
      ${invite ? html`<${InviteLink} board=${board} actor=${actor} invite=${invite} />` : html`
      <form class="change fields" onSubmit=${submit}>
        <${Actors} state=${state} />
        ${kind === "invite" && !person && html`
          <div class="field"><label for="who">Name <small>one word in small letters, such as ana</small></label>
            <input id="who" data-first value=${actor} required maxlength="200" spellcheck="false" autocapitalize="none" onInput=${(event) => board.decide({ actor: event.currentTarget.value })} /></div>`}
        ${((kind === "invite" && !person) || kind === "role") && html`
          <fieldset class="targets"><legend>Role</legend>
            ${state.people?.roles.map(({ role: each, description }) => html`
              <label key=${each} class="target">
                <input type="radio" name="role" value=${each} checked=${role === each} data-first=${kind === "role" && (role ? role === each : each === "viewer") ? "" : null} onChange=${() => board.decide({ role: each })} />
                <span>${title(each)}</span><small>${description}</small>
              </label>`)}
          </fieldset>`}
        ${kind === "role" && !person.role && person.permissions.length > 0 && html`<p class="quiet">Now: ${person.permissions.map(words).join(", ")}. A role replaces these.</p>`}
        ${handsOver && html`
          <p>${nameOf(person.actor_id)} owns ${plural(person.owns, "client")}, collaborates on ${number(person.collaborates)} and reviews ${number(person.reviews)}.
            ${kind === "leave" && ` All permissions and ${plural(person.tokens, "token")} are revoked at once.`}</p>
          <div class="field"><label for="takes-over">Who takes over${kind === "leave" && html` <small>leave empty to keep the clients as they are</small>`}</label>
            <input id="takes-over" list="actors" data-first value=${to} spellcheck="false" autocapitalize="none" onInput=${(event) => board.decide({ to: event.currentTarget.value.trim() })} /></div>
          ${kind === "hand_over" && html`
            <div class="field"><label for="until">Give back on <small>optional: the day they're back</small></label>
              <input id="until" type="date" min=${tomorrow()} value=${until} onInput=${(event) => board.decide({ until: event.currentTarget.value })} /></div>`}
          <label class="reason"><span>Why</span><textarea rows="2" maxlength="2000" dir="auto" required value=${reason} onInput=${(event) => board.decide({ reason: event.currentTarget.value })}></textarea></label>`}
        <${Refusal} error=${error} />
        <div class="buttons end">
          <button type="button" onClick=${() => board.closeDialog()}>Cancel</button>
          <button class="primary" disabled=${!isReady} aria-disabled=${sending}>${sending ? "Sending…" : error?.away ? "Try again" : button}</button>
        </div>
      </form>`}
    <//>`;
}

const tomorrow = () => dayOf(serverNow() + 86_400_000);

/** Ends a cover now, or on another day. */
function CoverDialog({ board, state }) {
  const { cover, until, reason, error, sending } = state.dialog;
  const { clients } = cover;
  const [from, to] = [cover.from_actor_id, cover.to_actor_id].map(nameOf);
  const submit = (event) => {
    event.preventDefault();
    board.submitCover();
  };
  return html`
    <${Dialog} title=${`${to} covers for ${from}`} onClose=${() => board.closeDialog()}>
      <form class="change fields" onSubmit=${submit}>
        <p>${plural(clients, "client")} will be given back to ${from} on ${dayName(cover.until)}. Fields that someone changed meanwhile stay as they are.</p>
        <div class="field"><label for="until">Another day <small>leave empty to give back now</small></label>
          <input id="until" type="date" data-first min=${tomorrow()} value=${until} onInput=${(event) => board.editChange({ until: event.currentTarget.value, error: null })} /></div>
        <label class="reason"><span>Why (optional)</span><textarea rows="2" maxlength="2000" dir="auto" value=${reason} onInput=${(event) => board.editChange({ reason: event.currentTarget.value, error: null })}></textarea></label>
        <${Refusal} error=${error} />
        <div class="buttons end">
          <button type="button" onClick=${() => board.closeDialog()}>Cancel</button>
          <button class="primary" aria-disabled=${sending}>${sending ? "Sending…" : until ? "Change the day" : "Give back now"}</button>
        </div>
      </form>
    <//>`;
}

function InviteLink({ board, actor, invite }) {
  const link = inviteLink(invite);
  const field = useRef();
  const copy = () => {
    field.current.select();
    // Over plain HTTP, browsers have no clipboard for pages.
    if (navigator.clipboard) navigator.clipboard.writeText(link);
    else document.execCommand("copy");
    board.say("The link is copied.");
  };
  return html`
    <p>Send this link to ${nameOf(actor)}. It works once, within an hour, and isn't shown again.</p>
    <div class="field"><label for="link">Link</label><input id="link" ref=${field} readonly data-first value=${link} onFocus=${(event) => event.currentTarget.select()} /></div>
    <div class="buttons end">
      <button type="button" class="primary" onClick=${copy}>Copy</button>
      <button type="button" onClick=${() => board.closeDialog()}>Close</button>
    </div>`;
}

/** The clients that a change of several was refused for. */
function Outcomes({ board, state }) {
  const { refused, count } = state.dialog;
  return html`
    <${Dialog} title=${`${number(count - refused.length)} of ${plural(count, "client")} done`} wide onClose=${() => board.closeDialog()}>
      <p>${plural(refused.length, "client was", "clients were")} refused and stay${refused.length === 1 ? "s" : ""} selected.</p>
      <ul class="outcomes">
        ${refused.map(({ id, error }) => html`
          <li key=${id} class="refused"><strong dir="auto">${state.clients.get(id)?.name ?? `client ${id}`}</strong><${Refusal} error=${error} /></li>`)}
      </ul>
      <div class="buttons end"><button type="button" class="primary" data-first onClick=${() => board.closeDialog()}>Close</button></div>
    <//>`;
}

const KEYS = [
  ["Tab", "go to the board, then to the next part"],
  ["↑ ↓ ← →", "go to another client"],
  ["Home End", "go to the first or last client of the column"],
  ["PgUp PgDn", "go ten clients up or down"],
  ["Enter", "open the client"],
  ["m", "move the client, or the whole selection"],
  ["f", "set a flag"],
  ["x", "select or deselect the client"],
  ["u", "undo your last change"],
  ["/", "search. Enter or ↓ goes to the clients found"],
  ["?", "this help"],
  ["Ctrl Enter", "send, while typing a reason"],
  ["Esc", "close the dialog, or clear the selection"],
];

function Help({ board }) {
  return html`
    <${Dialog} title="Help" onClose=${() => board.closeDialog()}>
      <p translate="yes">Drag a client to another stage, or click its arrow. You'll only see moves you're allowed to make. Every move needs a reason, which is kept in the history.</p>
      <h3>Keys</h3>
      <dl class="keys">${KEYS.map(([key, what]) => html`<div key=${key}><dt>${key.split(" ").map((each) => html`<kbd>${each}</kbd> `)}</dt><dd translate="yes">${what}</dd></div>`)}</dl>
      <label class="check"><input type="checkbox" checked=${board.keysOff} onChange=${(event) => board.setKeysOff(event.currentTarget.checked)} />
        Turn off single keys in this browser</label>
      <div class="buttons end"><button type="button" class="primary" data-first onClick=${() => board.closeDialog()}>Close</button></div>
    <//>`;
}
