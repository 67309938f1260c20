// The parts of a client that several views show.
import { html, number, plural, words } from "../ui.js";

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
  return days > maxDays ? `${plural(days, "day")}, limit ${number(maxDays)}` : `${number(days)} of ${plural(maxDays, "day")}`;
}

export function Attention({ client }) {
  return client.attention && html`<span class=${`badge ${client.attention}`}>${words(client.attention)}</span>`;
}

export function Flags({ client, meanings }) {
  // The attention badge already shows this flag.
  const flags = client.flags.filter((flag) => flag !== client.attention);
  return flags.map((flag) => html`<span class="badge flag" title=${meanings?.get(flag)}>${words(flag)}</span>`);
}

export function Owner({ actor }) {
  return actor ? html`<span class="owner" dir="auto" title=${actor}>${actor.replace(/^user:/, "")}</span>` : html`<span class="owner nobody">no owner</span>`;
}

export const maxDaysOf = (summary) => new Map(summary.stages.map((each) => [each.stage, each.max_days]));
export const meaningsOf = (summary) => new Map(summary.flags.map((each) => [each.flag, each.description]));

/** True until the allowed moves are known: the database checks again when the move is made. */
export const mayMove = (may) => !may || may.moves.length > 0 || may.override_to.length > 0;
