// Who there is: roles, clients, tokens; inviting, handing over and leaving for admins.
import { html, nameOf, number, plural, title, words } from "../ui.js";
import { ago, day } from "../dates.js";
import { fieldName } from "./drawer.js";
import { Actor, Table, isFirmAdmin } from "./parts.js";

export function People({ board, state }) {
  const { people, me } = state;
  const isAdmin = isFirmAdmin(me);
  return html`
    <main class="page">
      <div class="page-head">
        <div><h2>People</h2><p class="quiet">Everyone who has clients, permissions or a token.</p></div>
        ${isAdmin && html`<div class="buttons"><button type="button" class="primary" onClick=${() => board.openPerson("invite")}>Invite someone…</button></div>`}
      </div>
      ${!people ? html`<p class="quiet">${state.problem ? "The people couldn't be loaded." : "Loading…"}</p>` : html`
      <${Covers} board=${board} covers=${people.covers} />
      <${Table} heads=${headsOf(isAdmin)} rows=${people.people.map((each) => personRow(board, each, isAdmin))} />`}
    </main>`;
}

/** Who covers for whom, and what stayed with a cover. */
function Covers({ board, covers }) {
  if (!covers.length) return null;
  return html`
    <section aria-labelledby="covers-title"><h3 id="covers-title">Vacation cover</h3>
      <ul class="outcomes">${covers.map((each) => html`
        <li key=${each.cover_id}>
          <p><strong><${Actor} id=${each.to_actor_id} /></strong> covers for <strong><${Actor} id=${each.from_actor_id} /></strong> until ${day(each.until)} <span class="quiet">· ${plural(each.clients, "client")}</span></p>
          ${each.kept.length > 0 && html`<p class="quiet">Changed meanwhile, not given back: ${each.kept.map(({ name, fields }) => `${name} (${fields.map(fieldName).join(", ")})`).join("; ")}</p>`}
          ${each.may_end && each.clients > 0
            && html`<div class="buttons"><button type="button" aria-label=${`End the cover for ${nameOf(each.from_actor_id)}`} onClick=${() => board.openCover(each)}>End or change…</button></div>`}
        </li>`)}</ul>
    </section>`;
}

/** The names of the columns; an admin has more. */
const headsOf = (isAdmin) => [
  ["Who"], ...(isAdmin ? [["Role"]] : []), ["Owns", "num"], ["Collaborates", "num"], ["Reviews", "num"],
  ...(isAdmin ? [["Tokens", "num"], ["Last seen"], ["Actions", "actions"]] : []),
];

function personRow(board, person, isAdmin) {
  const { actor_id: actor, role, permissions, owns, collaborates, reviews, tokens, last_seen_at: seen } = person;
  const act = (kind, text) => html`<button type="button" aria-label=${`${text} ${nameOf(actor)}`} onClick=${() => board.openPerson(kind, person)}>${text}…</button>`;
  const clients = [owns, collaborates, reviews].map(number);
  const name = html`<${Actor} id=${actor} />`;
  if (!isAdmin) return { key: actor, cells: [name, ...clients] };
  return {
    key: actor,
    cells: [
      name, role ? title(role) : permissions.map((each) => words(each.replace(/^can_/, ""))).join(", "), ...clients, number(tokens), seen ? ago(seen) : "never",
      html`<div class="buttons">${act("role", "Role")}${act("invite", "New link")}${act("hand_over", "Hand over")}${act("leave", "Leave")}</div>`,
    ],
  };
}
