// The parts of a client that several views show.
import { Refusal, html, number, plural, useState, words } from "../ui.js";
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

// The moves that bookkeepers have a word for, by the stages they lead from and to.
const DEEDS = { "eom_review weekly": "Sign off", "eom_review eom_close": "Send back" };
export const deedOf = (from, to) => DEEDS[`${from} ${to}`];

/** A button for each such move that is allowed. */
export function Deeds({ board, client, may, reach }) {
  const moves = may?.moves.filter((move) => deedOf(client.stage, move.to_stage)) ?? [];
  return moves.map(({ to_stage: to }) => html`
    <button key=${to} type="button" class="deed" tabindex=${reach} aria-haspopup="dialog" aria-label=${`${deedOf(client.stage, to)} ${client.name}`}
      onClick=${() => board.openMove([client.id], to, true)}>${deedOf(client.stage, to)}</button>`);
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

/** An actor as people call it: a person's name, a job's, or the whole id. */
export function nameOf(actor) {
  const job = actor.match(/^system:cron:(.*)$/)?.[1];
  return job ? `the job ${words(job)}` : actor.replace(/^user:/, "");
}

/** True for a history row whose change can be rolled back, unless something later depends on it. */
export const isReversible = (row) =>
  row.version > 0 && row.trigger_type !== "rollback" && !row.is_rolled_back && Boolean(row.from_stage || row.flag_added || row.flag_removed || row.payload?.changed);

export function Owner({ actor }) {
  return actor ? html`<span class="owner" dir="auto" title=${actor}>${nameOf(actor)}</span>` : html`<span class="owner nobody">no owner</span>`;
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
