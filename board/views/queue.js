// What this actor should do next, in the order of the API.
import { html, plural, title, words } from "../ui.js";
import { ago, instant } from "../dates.js";
import { Age, Attention, Flags, Owner, maxDaysOf, mayMove, meaningsOf } from "./parts.js";

export function Queue({ board, state }) {
  const { queue, summary, allowed, clients } = state;
  if (!queue) return html`<main class="page"><p class="quiet">Loading…</p></main>`;
  const maxDays = maxDaysOf(summary);
  const meanings = meaningsOf(summary);
  return html`
    <main class="page queue">
      <h2>My queue</h2>
      <p class="quiet">${queue.length ? `${plural(queue.length, "client")}, most pressing first. Overdue clients that are waiting on the client come last.` : ""}</p>
      ${!queue.length && html`<p class="nothing">Your queue is empty.</p>`}
      <ol>
        ${queue.map(({ client: queued, why, sla_due_at: due }) => {
          const client = clients.get(queued.id) ?? queued;
          return html`
            <li key=${client.id} class=${`queue-item ${client.attention ?? ""}`}>
              <div class="queue-who">
                <button type="button" class="card-name" dir="auto" onClick=${() => board.openClient(client.id)}>${client.name}</button>
                <p class="quiet">${title(client.stage)} · ${why.map((each) => `you: ${words(each)}`).join(", ")}${due && html` · <span title=${instant(due)}>due ${ago(due)}</span>`}</p>
              </div>
              <${Age} client=${client} maxDays=${maxDays.get(client.stage)} />
              <div class="card-foot"><${Owner} actor=${client.stage_owner} /><${Attention} client=${client} /><${Flags} client=${client} meanings=${meanings} /></div>
              <button type="button" disabled=${!mayMove(allowed.get(client.id))} onClick=${() => board.openMove([client.id])} aria-label=${`Move ${client.name}`}>Move…</button>
            </li>`;
        })}
      </ol>
    </main>`;
}
