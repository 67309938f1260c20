// What this actor should do next, in the order of the API.
import { html, plural, title, useEffect, useState, words } from "../ui.js";
import { ago, instant } from "../dates.js";
import { Actor, Age, Attention, Deeds, Flags, Period, maxDaysOf, mayMove, meaningsOf } from "./parts.js";

// How many items are shown at first, and added by "Show more".
const ROWS = 40;

export function Queue({ board, state }) {
  const { queue, summary, allowed, clients } = state;
  const [shown, setShown] = useState(ROWS);
  const items = queue?.items.slice(0, shown) ?? [];
  useEffect(() => {
    const missing = items.filter(({ client }) => allowed.get(client.id)?.version !== client.version);
    board.learnAllowed(missing.map(({ client }) => client.id)).catch(() => {});
  }, [queue, shown]);
  if (!queue) return html`<main class="page"><p class="quiet">Loading…</p></main>`;
  const total = queue.items.length;
  const maxDays = maxDaysOf(summary);
  const meanings = meaningsOf(summary);
  return html`
    <main class="page queue">
      <h2>My queue</h2>
      <p class="quiet">${total ? `${queue.more ? "More than " : ""}${plural(total, "client")}, most pressing first. Overdue clients that are waiting on the client come last.` : ""}</p>
      ${!total && html`<p class="nothing">Your queue is empty.</p>`}
      <ol>
        ${items.map(({ client: queued, why, sla_due_at: due }) => {
          const client = clients.get(queued.id) ?? queued;
          return html`
            <li key=${client.id} data-card=${client.id} class=${`queue-item ${client.attention ?? ""}`}>
              <div class="queue-who">
                <button type="button" class="card-name" dir="auto" onClick=${() => board.openClient(client.id)}>${client.name}</button>
                <p class="quiet">${title(client.stage)} · ${why.map((each) => `you: ${words(each)}`).join(", ")}${due && client.attention !== "late" && html` · <span title=${instant(due)}>due ${ago(due)}</span>`}</p>
              </div>
              <${Age} client=${client} maxDays=${maxDays.get(client.stage)} />
              <div class="card-foot"><${Actor} id=${client.stage_owner} look="owner" /><${Period} client=${client} /><${Attention} client=${client} /><${Flags} client=${client} meanings=${meanings} /></div>
              <div class="buttons"><${Deeds} board=${board} client=${client} may=${allowed.get(client.id)} />
                <button type="button" disabled=${!mayMove(allowed.get(client.id))} onClick=${() => board.openMove([client.id])} aria-label=${`Move ${client.name}`}>Move…</button></div>
            </li>`;
        })}
      </ol>
      ${shown < total && html`<p class="more"><button type="button" onClick=${() => setShown(shown + ROWS)}>Show more</button></p>`}
    </main>`;
}
