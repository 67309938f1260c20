// Who there is: roles, clients, tokens; inviting, handing over and leaving for admins.
import { html, number, plural, title, words } from "../ui.js";
import { ago, day } from "../dates.js";
import { fieldName } from "./drawer.js";
import { isFirmAdmin, nameOf } from "./parts.js";

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
      <div class="table-wrap">
        <table>
          <thead><tr><th scope="col">Who</th>${isAdmin && html`<th scope="col">Role</th>`}<th scope="col" class="num">Owns</th><th scope="col" class="num">Collaborates</th><th scope="col" class="num">Reviews</th>
            ${isAdmin && html`<th scope="col" class="num">Tokens</th><th scope="col">Last seen</th><th scope="col"><span class="unseen">Actions</span></th>`}</tr></thead>
          <tbody>${people.people.map((each) => html`<${Person} key=${each.actor_id} board=${board} person=${each} isAdmin=${isAdmin} />`)}</tbody>
        </table>
      </div>`}
    </main>`;
}

/** Who covers for whom, and what stayed with a cover. */
function Covers({ board, covers }) {
  if (!covers.length) return null;
  return html`
    <section aria-labelledby="covers-title"><h3 id="covers-title">Vacation cover</h3>
      <ul class="outcomes">${covers.map((each) => html`
        <li key=${each.cover_id}>
          <p><strong dir="auto">${nameOf(each.to_actor_id)}</strong> covers for <strong dir="auto">${nameOf(each.from_actor_id)}</strong> until ${day(each.until)} <span class="quiet">· ${plural(each.clients, "client")}</span></p>
          ${each.kept.length > 0 && html`<p class="quiet">Changed meanwhile, not given back: ${each.kept.map(({ name, fields }) => `${name} (${fields.map(fieldName).join(", ")})`).join("; ")}</p>`}
          ${each.may_end && each.clients > 0
            && html`<div class="buttons"><button type="button" aria-label=${`End the cover for ${each.from_actor_id}`} onClick=${() => board.openCover(each)}>End or change…</button></div>`}
        </li>`)}</ul>
    </section>`;
}

function Person({ board, person, isAdmin }) {
  const { actor_id: actor, role, permissions, owns, collaborates, reviews, tokens, last_seen_at: seen } = person;
  const act = (kind, text) => html`<button type="button" aria-label=${`${text} ${actor}`} onClick=${() => board.openPerson(kind, person)}>${text}…</button>`;
  return html`
    <tr>
      <th scope="row" dir="auto" title=${actor}>${nameOf(actor)}</th>
      ${isAdmin && html`<td>${role ? title(role) : permissions.map((each) => words(each.replace(/^can_/, ""))).join(", ")}</td>`}
      <td class="num">${number(owns)}</td><td class="num">${number(collaborates)}</td><td class="num">${number(reviews)}</td>
      ${isAdmin && html`
        <td class="num">${number(tokens)}</td><td>${seen ? ago(seen) : "never"}</td>
        <td><div class="buttons">${act("role", "Role")}${act("invite", "New link")}${act("hand_over", "Hand over")}${act("leave", "Leave")}</div></td>`}
    </tr>`;
}
