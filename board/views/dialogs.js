// The dialogs of changes: the choice, the reason and the outcome.
import { Dialog, Refusal, html, plural, title, useLayoutEffect, useRef, words } from "../ui.js";
import { Conflict, Row } from "./drawer.js";

export function Dialogs({ board, state }) {
  const { dialog } = state;
  if (dialog.kind === "help") return html`<${Help} board=${board} />`;
  if (dialog.kind === "outcomes") return html`<${Outcomes} board=${board} state=${state} />`;
  return html`<${Change} board=${board} state=${state} />`;
}

function Change({ board, state }) {
  const { dialog, clients, drawer } = state;
  const { kind, ids, reason, conflict, error, sending } = dialog;
  const names = ids.map((id) => (clients.get(id) ?? drawer?.client)?.name ?? `client ${id}`);
  const who = ids.length === 1 ? names[0] : plural(ids.length, "client");
  const heading = { move: `Move ${who}`, flag: `${dialog.setting ? "Set a flag on" : "Clear a flag of"} ${who}`, rollback: `Roll back: ${who}` }[kind];
  const isReady = { move: dialog.to, flag: dialog.flag, rollback: true }[kind] && (kind === "flag" || reason.trim());
  const submit = (event) => {
    event.preventDefault();
    if (isReady && !conflict) board.submit();
  };
  return html`
    <${Dialog} title=${heading} onClose=${() => board.closeDialog()}>
      <form class="change" onSubmit=${submit}>
        ${ids.length > 1 && html`<details class="names"><summary>Show clients</summary><ul>${names.map((name) => html`<li dir="auto">${name}</li>`)}</ul></details>`}
        ${kind === "move" && html`<${Targets} board=${board} state=${state} />`}
        ${kind === "flag" && html`<${FlagChoice} board=${board} state=${state} />`}
        ${kind === "rollback" && html`<ol class="timeline"><${Row} row=${dialog.row} /></ol>`}
        <label class="reason"><span>Why${kind === "flag" ? " (optional)" : ""}</span>
          <textarea rows="3" maxlength="2000" dir="auto" required=${kind !== "flag"} data-first=${kind === "rollback" || dialog.to || dialog.flag ? "" : null}
            value=${reason} onInput=${(event) => board.decide({ reason: event.currentTarget.value })}
            onKeyDown=${(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); }}
            placeholder="The reason is kept in the history"></textarea></label>
        ${conflict && html`<${Conflict} conflict=${conflict} onLook=${() => board.lookAgain()} />`}
        <${Refusal} error=${error} />
        <div class="buttons end">
          <button type="button" onClick=${() => board.closeDialog()}>Cancel</button>
          <button class="primary" disabled=${!isReady || Boolean(conflict)} aria-disabled=${sending}>${label(dialog)}</button>
        </div>
      </form>
    <//>`;
}

function label({ kind, sending, error, setting }) {
  if (sending) return "Sending…";
  if (error?.away) return "Try again";
  return { move: "Move", flag: setting ? "Set the flag" : "Clear the flag", rollback: "Roll back" }[kind];
}

/** Moves the focus to the choices when they arrive, unless the user is already typing. */
function useFocusOn(isThere) {
  const place = useRef();
  useLayoutEffect(() => {
    if (isThere && !["TEXTAREA", "INPUT"].includes(document.activeElement.tagName)) place.current?.querySelector("[data-first]")?.focus();
  }, [isThere]);
  return place;
}

/** The stages that the database allows for these clients, with the number of clients for each. */
function Targets({ board, state }) {
  const { dialog, allowed, summary } = state;
  const known = dialog.ids.map((id) => allowed.get(id));
  const place = useFocusOn(known.every(Boolean));
  if (known.some((each) => !each)) return html`<p class="quiet">Checking which moves are allowed…</p>`;
  const all = known.length;
  const moves = new Map();
  for (const { to_stage: stage, note } of known.flatMap((each) => each.moves)) {
    const before = moves.get(stage) ?? { count: 0, notes: new Set() };
    moves.set(stage, { count: before.count + 1, notes: note ? before.notes.add(note) : before.notes });
  }
  const mayOverride = known.every((each) => each.override_to.length > 0);
  const offered = summary.stages.map((each) => each.stage).filter((stage) => moves.has(stage) || (dialog.override && known.every((each) => each.override_to.includes(stage))));
  const first = offered.includes(dialog.to) ? dialog.to : offered[0];
  return html`
    <fieldset class="targets" ref=${place}><legend>To</legend>
      ${!offered.length && html`<p>You don't have permission to move ${all === 1 ? "this client" : "any of these clients"} from ${all === 1 ? "its" : "their"} stage.</p>`}
      ${offered.map((stage) => html`
        <label key=${stage} class="target">
          <input type="radio" name="to" value=${stage} checked=${dialog.to === stage} data-first=${!dialog.to && stage === first ? "" : null} onChange=${() => board.decide({ to: stage })} />
          <span>${title(stage)}</span>
          <small>${[...(moves.get(stage)?.notes ?? [])].join("; ")}${all > 1 && moves.has(stage) ? ` · ${moves.get(stage).count} of ${all}` : ""}</small>
        </label>`)}
      ${mayOverride && html`
        <label class="check"><input type="checkbox" checked=${dialog.override} onChange=${(event) => board.decide({ override: event.currentTarget.checked })} />
          Override the rules as an admin. The history records the override.</label>`}
    </fieldset>`;
}

function FlagChoice({ board, state }) {
  const { dialog, allowed, summary } = state;
  const known = dialog.ids.map((id) => allowed.get(id));
  const place = useFocusOn(known.every(Boolean));
  if (known.some((each) => !each)) return html`<p class="quiet">Checking which flags you can change…</p>`;
  const permitted = new Map();
  for (const flag of known.flatMap((each) => (dialog.setting ? each.set_flags : each.clear_flags))) permitted.set(flag, (permitted.get(flag) ?? 0) + 1);
  const offered = summary.flags.filter(({ flag }) => permitted.has(flag));
  return html`
    <fieldset class="targets" ref=${place}><legend>Flag</legend>
      ${!offered.length && html`<p>There are no flags here that you can ${dialog.setting ? "set" : "clear"}.</p>`}
      ${offered.map(({ flag, description }, place) => html`
        <label key=${flag} class="target">
          <input type="radio" name="flag" value=${flag} checked=${dialog.flag === flag} data-first=${!dialog.flag && place === 0 ? "" : null} onChange=${() => board.decide({ flag })} />
          <span>${title(flag)}</span>
          <small>${description}${known.length > 1 ? ` · ${permitted.get(flag)} of ${known.length}` : ""}</small>
        </label>`)}
    </fieldset>`;
}

/** The outcomes of a change of several clients. */
function Outcomes({ board, state }) {
  const { outcomes } = state.dialog;
  const refused = outcomes.filter((each) => each.error);
  const nameOf = ({ id, client }) => client?.name ?? state.clients.get(id)?.name ?? `client ${id}`;
  return html`
    <${Dialog} title=${`${outcomes.length - refused.length} of ${plural(outcomes.length, "client")} done`} wide onClose=${() => board.closeDialog()}>
      ${refused.length > 0 && html`<p>${plural(refused.length, "client was", "clients were")} refused and stay${refused.length === 1 ? "s" : ""} selected.</p>`}
      <ul class="outcomes">
        ${[...refused, ...outcomes.filter((each) => !each.error)].map((each) => html`
          <li key=${each.id} class=${each.error ? "refused" : "done"}>
            <strong dir="auto">${nameOf(each)}</strong>
            ${each.error ? html`<${Refusal} error=${each.error} />`
              : html`<span>${each.changed ? `Done: ${title(each.client.stage)}${each.client.flags.length ? `, ${each.client.flags.map(words).join(", ")}` : ""}` : "No change needed"}</span>`}
          </li>`)}
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
  ["/", "search"],
  ["Ctrl Enter", "send, while typing a reason"],
  ["Esc", "close the dialog, or clear the selection"],
];

function Help({ board }) {
  return html`
    <${Dialog} title="Help" onClose=${() => board.closeDialog()}>
      <p>Drag a client to another stage, or click its arrow. You'll only see moves you're allowed to make. Every move needs a reason, which is kept in the history.</p>
      <h3>Keys on a client</h3>
      <dl class="keys">${KEYS.map(([key, what]) => html`<div key=${key}><dt>${key.split(" ").map((each) => html`<kbd>${each}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
      <div class="buttons end"><button type="button" class="primary" data-first onClick=${() => board.closeDialog()}>Close</button></div>
    <//>`;
}
