// The parts of a client that several views show.
import { Refusal, html, nameOf, number, plural, useState, words } from "../ui.js";
import { month as monthName } from "../dates.js";

/** The days in the stage and its limit. The database decides whether that is too long: `attention`. */
export function Age({ client, maxDays }) {
  if (client.age_days == null) return null;
  const share = maxDays ? Math.min(client.age_days / maxDays, 1) : 0;
  return html`
    <div class="age">
      ${maxDays && html`<div class=${`bar ${client.attention ?? ""}`} aria-hidden="true"><span style=${{ width: `${Math.round(share * 100)}%` }}></span></div>`}
      <span class="age-words">${ageWords(client.age_days, maxDays)}</span>
    </div>`;
}

function ageWords(days, maxDays) {
  if (!maxDays) return plural(days, "day");
  if (days === maxDays) return `over ${plural(maxDays, "day")}`;
  return days > maxDays ? `${plural(days, "day")}, limit ${number(maxDays)}` : `${number(days)} of ${plural(maxDays, "day")}`;
}

export function Attention({ client }) {
  return client.attention && html`<span class=${`badge ${client.attention}`}>${words(client.attention)}</span>`;
}

/** The month that the client is closing. */
export const Period = ({ client }) => client.close_period && html`<span class="period">${monthName(client.close_period)}</span>`;

// The kinds of moves that bookkeepers have a word for.
const DEEDS = { signed_off: "Sign off", sent_back: "Send back" };
export const deedOf = (move) => DEEDS[move?.kind];

/** A button for each such move that is allowed. */
export function Deeds({ board, client, may, reach }) {
  const moves = may?.moves.filter(deedOf) ?? [];
  return moves.map((move) => html`
    <button key=${move.to_stage} type="button" class="deed" tabindex=${reach} aria-haspopup="dialog" aria-label=${`${deedOf(move)} ${client.name}`}
      onClick=${() => board.openMove([client.id], move.to_stage, true)}>${deedOf(move)}</button>`);
}

/** The last change and its Undo. */
export function Toast({ board, toast }) {
  if (!toast) return null;
  return html`
    <div class="toast" role="region" aria-label="Last change">
      <span>${toast.text}</span>
      ${toast.undo && html`<button type="button" class="primary" aria-disabled=${toast.sending} title="Undo (u)" onClick=${() => board.undo()}>${toast.error ? "Try again" : "Undo"}</button>`}
      <button type="button" class="icon-button" aria-label="Close this message" title="Close" onClick=${() => board.closeToast()}>✕</button>
      <${Refusal} error=${toast.error} />
    </div>`;
}

export function Flags({ client, meanings }) {
  return flagsBeside(client, meanings).map((flag) => html`<span class="badge flag" title=${meanings.get(flag)}>${words(flag)}</span>`);
}

/** An actor's name, with the whole id as its title; null: no owner. */
export const Actor = ({ id, look }) =>
  id ? html`<span class=${look} dir="auto" title=${id}>${nameOf(id)}</span>` : html`<span class=${look && `${look} nobody`}>no owner</span>`;

/** Through which actor a person made a change, or for whom. */
export function through({ person, actor_id: actor, on_behalf_of: other }) {
  if (person !== actor) return html`, through <${Actor} id=${actor} />`;
  return other && html` for <${Actor} id=${other} />`;
}

export const maxDaysOf = (summary) => new Map(summary.stages.map((each) => [each.stage, each.max_days]));

/** What each flag means, and for which stages it explains that a client waits. */
export function meaningsOf(summary) {
  const meanings = new Map(summary.flags.map((each) => [each.flag, each.description]));
  return Object.assign(meanings, { attention: summary.attention, waiting: new Map(summary.stages.map((each) => [each.stage, each.waiting_flags])) });
}

/** The flags that say something else than the attention badge. */
export function flagsBeside({ flags, stage, attention }, { attention: values, waiting }) {
  return flags.filter((flag) => !(flag in values) && !(attention === "waiting_on_client" && waiting.get(stage)?.includes(flag)));
}

/** True until the allowed moves are known: the database checks again when the move is made. */
export const mayMove = (may) => !may || may.moves.length > 0 || may.override_to.length > 0;

/** Whether to offer what needs an admin. The database decides when it's done. */
export const isFirmAdmin = (me) => me.permissions.some(({ permission, scope }) => permission === "can_admin" && !scope);

/** An input that keeps what is typed while the page changes around it. `onPick` gets the complete text. */
export function Typed({ value, onPick, ...input }) {
  const [typed, setTyped] = useState(null);
  const pick = onPick && ((event) => {
    setTyped(null);
    onPick(event.currentTarget.value.trim());
  });
  return html`<input ...${input} value=${typed ?? value} onInput=${(event) => setTyped(event.currentTarget.value)} onChange=${pick} />`;
}

/**
 * A table whose rows are blocks on a narrow screen. `heads`: name and class of each column; `rows`: key, class and cells, the first of
 * which is the row's header.
 */
export function Table({ heads, rows, ...table }) {
  return html`
    <table ...${table}>
      <thead><tr>${heads.map(([name, style]) => html`<th scope="col" class=${style}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map(({ key, style, cells: [first, ...others] }) => html`
        <tr key=${key} class=${style}><th scope="row" dir="auto">${first}</th>
          ${others.map((cell, place) => html`<td class=${heads[place + 1][1]} data-name=${heads[place + 1][0]}>${cell}</td>`)}</tr>`)}</tbody>
    </table>`;
}
