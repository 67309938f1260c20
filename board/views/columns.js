// The columns: one per stage, with its clients, and moves by mouse or keyboard.
import { isFiltered } from "../board.js";
import { Pure, Refusal, html, number, plural, title, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { Actor, Age, Attention, Deeds, Flags, Period, mayMove, meaningsOf } from "./parts.js";
import { VISIBLE, useWindow } from "./window.js";

// How many clients PageDown skips.
const PAGE_OF_KEYS = 10;
const PHONE = "(max-width: 760px)";

export function Columns({ board, state }) {
  const { summary, columns, clients, allowed, chosen, recent, filters } = state;
  const [drag, setDrag] = useState(null);
  const place = useRef();
  const wanted = useRef(null);
  const stages = summary.stages.filter(({ stage }) => !filters.stage?.length || filters.stage.includes(stage));
  const grid = stages.map(({ stage }) => columns[stage]?.ids ?? []);
  const shown = grid.flat();
  const active = shown.includes(state.active) ? state.active : shown[0];
  const meanings = useMeanings(summary);

  // A phone shows one stage at a time: it opens on the first that has a late client.
  useEffect(() => {
    const worst = ["late", "stuck"].map((attention) => shown.find((id) => clients.get(id).attention === attention)).find(Boolean);
    if (!worst || state.active != null || !matchMedia(PHONE).matches) return;
    board.setActive(worst);
    setTimeout(() => place.current?.querySelector(`[data-card="${worst}"]`)?.scrollIntoView({ block: "nearest", inline: "start" }));
  }, []);

  // A distant card is rendered first and then gets the focus.
  useLayoutEffect(() => {
    if (wanted.current != null && focusCard(place.current, wanted.current)) wanted.current = null;
  }, [state.active]);

  // A moved card is a new element: it gets the focus back.
  useLayoutEffect(() => {
    if (document.activeElement === document.body && state.active != null && !state.drawer && !state.dialog) focusCard(place.current, active);
  }, [columns, state.drawer, state.dialog]);

  const keys = (event) => {
    const card = event.target.closest("[data-card]");
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = Number(card.dataset.card);
    const next = neighbour(grid, id, event.key);
    if (next == null) return;
    event.preventDefault();
    wanted.current = focusCard(place.current, next) ? null : next;
    board.setActive(next);
  };

  const beginDrag = (id) => {
    const ids = targets(chosen, id);
    // Keep a dragged card rendered when it is scrolled out of view: removing it would end the drag.
    board.setActive(id);
    board.learnAllowed(ids.filter((each) => !allowed.has(each))).catch(() => {});
    setDrag(ids);
  };
  const takes = new Set(drag?.flatMap((id) => allowed.get(id)?.moves.map((move) => move.to_stage) ?? []));

  if (!summary.clients) return html`<${NoClients} board=${board} />`;
  return html`
    <main class=${`columns ${drag ? "dragging" : ""}`} ref=${place} onKeyDown=${keys} onDragEnd=${() => setDrag(null)} aria-label="Clients by stage">
      ${stages.map((stage) => html`
        <${Column}
          key=${stage.stage} board=${board} stage=${stage} column=${columns[stage.stage]} clients=${clients} allowed=${allowed}
          chosen=${chosen} recent=${recent} active=${active} columns=${grid.filter((ids) => ids.length > VISIBLE).length || 1} isFiltered=${isFiltered(filters)} meanings=${meanings}
          drag=${drag} takes=${takes.has(stage.stage)} beginDrag=${beginDrag} endDrag=${() => setDrag(null)}
        />`)}
    </main>
    ${chosen.size > 0 && html`<${Chosen} board=${board} chosen=${chosen} />`}`;
}

const NoClients = ({ board }) => html`
  <main class="page" aria-label="Clients by stage">
    <p class="nothing">There are no active clients. Add one under <button type="button" class="link" onClick=${() => board.show("firm")}>Firm</button>,
      or a whole list with <code translate="no">atlas-stage client import</code>. Clients that are added in Atlas appear here, too.</p>
  </main>`;

/** A selected client moves with the whole selection, any other client alone. */
const targets = (chosen, id) => (chosen.has(id) ? [...chosen] : [id]);

function useMeanings(summary) {
  const kept = useRef({});
  if (kept.current.flags !== summary.flags) kept.current = { flags: summary.flags, meanings: meaningsOf(summary) };
  return kept.current.meanings;
}

function neighbour(grid, id, key) {
  const across = grid.findIndex((ids) => ids.includes(id));
  if (across < 0) return null;
  const down = grid[across].indexOf(id);
  const sideways = (step) => {
    for (let column = across + step; grid[column]; column += step) {
      if (grid[column].length) return grid[column][Math.min(down, grid[column].length - 1)];
    }
    return null;
  };
  switch (key) {
    case "ArrowDown": return grid[across][down + 1] ?? null;
    case "ArrowUp": return grid[across][down - 1] ?? null;
    case "ArrowRight": return sideways(1);
    case "ArrowLeft": return sideways(-1);
    case "Home": return grid[across][0];
    case "End": return grid[across].at(-1);
    case "PageDown": return grid[across][Math.min(down + PAGE_OF_KEYS, grid[across].length - 1)];
    case "PageUp": return grid[across][Math.max(down - PAGE_OF_KEYS, 0)];
    default: return null;
  }
}

/** Returns false if the card isn't rendered. */
function focusCard(place, id) {
  const card = place?.querySelector(`[data-card="${id}"] .card-name`);
  card?.focus({ preventScroll: true });
  card?.closest("[data-card]").scrollIntoView({ block: "nearest", inline: "nearest" });
  return Boolean(card);
}

const NO_CLIENTS = [];

function Column({ board, stage, column, columns, clients, allowed, chosen, recent, active, isFiltered, meanings, drag, takes, beginDrag, endDrag }) {
  const ids = column?.ids ?? NO_CLIENTS;
  const [over, setOver] = useState(false);
  const scroller = useRef();
  const inSight = useWindow(scroller, ids, ids.indexOf(active), columns);
  const cards = inSight.getVirtualItems();
  const { startIndex: first = 0, endIndex: last = -1 } = inSight.range ?? {};
  // Visible cards trigger the requests for their allowed moves, and near the end for the next page.
  useEffect(() => board.looksAt(stage.stage, first, last), [first, last, column]);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    const willing = drag.filter((id) => clients.get(id)?.stage !== stage.stage);
    endDrag();
    board.openMove(willing, stage.stage);
  };
  const count = isFiltered ? `${number(ids.length)}${column?.next != null ? "+" : ""}` : number(stage.clients);
  const all = isFiltered || !stage.clients ? ids.length : Math.max(stage.clients, ids.length);
  const size = isFiltered && column?.next != null ? -1 : all;
  return html`
    <section
      class=${`column kind-${stage.kind} ${ids.length ? "" : "empty"} ${drag && (takes ? "takes" : "takes-not")} ${over ? "over" : ""}`}
      aria-labelledby=${`stage-${stage.stage}`} data-stage=${stage.stage}
      onDragOver=${(event) => { if (takes) { event.preventDefault(); setOver(true); } }}
      onDragLeave=${(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setOver(false); }}
      onDrop=${(event) => { if (takes) drop(event); }}
    >
      <header title=${stage.description}>
        ${ids.length > 0 && html`
          <input
            type="checkbox" class="choose-all" checked=${ids.every((id) => chosen.has(id))} title=${`Select the ${plural(ids.length, "loaded client")}`}
            aria-label=${`Select all in ${title(stage.stage)}`} onChange=${(event) => board.chooseAll(ids, event.currentTarget.checked)}
          />`}
        <h2 id=${`stage-${stage.stage}`}>${title(stage.stage)}</h2>
        <span class="count">${count}<span class="unseen"> clients</span></span>
        <p class="quiet">
          ${stage.max_days ? `Up to ${plural(stage.max_days, "day")}` : "No time limit"}
          ${["late", "stuck"].map((attention) => {
            const found = isFiltered ? ids.filter((id) => clients.get(id).attention === attention).length : stage[attention];
            return found > 0 && html` · <span class="stuck-count">${number(found)} ${attention}</span>`;
          })}
        </p>
      </header>
      ${column?.next != null && ids.every((id) => chosen.has(id)) && html`
        <button type="button" class="link choose-rest" onClick=${() => board.chooseStage(stage.stage)}>
          ${isFiltered ? "Select all that match" : `Select all ${number(stage.clients)}`}</button>`}
      <div class="cards" ref=${scroller}>
        <ul style=${{ height: `${inSight.getTotalSize()}px` }}>
          ${cards.map(({ key: id, index, start }) => html`
            <${Card}
              key=${id} board=${board} client=${clients.get(id)} maxDays=${stage.max_days} chosen=${chosen.has(id)} active=${id === active}
              may=${allowed.get(id)} news=${recent.get(id)} meanings=${meanings} beginDrag=${beginDrag}
              place=${index} of=${size} start=${start} measure=${inSight.measureElement}
            />`)}
        </ul>
        ${!ids.length && column && html`<p class="nobody-here">${isFiltered ? "No clients match the filters" : "No clients"}</p>`}
        ${column?.next != null && html`<p class="more"><button type="button" onClick=${() => board.showMore(stage.stage)}>${column.loading ? "Loading…" : "Show more"}</button></p>`}
      </div>
      <${Refusal} error=${column?.error} />
    </section>`;
}

class Card extends Pure {
  render({ board, client, maxDays, chosen, active, may, news, meanings, beginDrag, place, of, start, measure }) {
    const reach = active ? 0 : -1;
    const canMove = mayMove(may);
    const begin = (event) => {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", client.name);
      // The browser captures the card's image first. A change before that would end the drag.
      setTimeout(() => beginDrag(client.id));
    };
    return html`
      <li
        class=${`card ${client.attention ?? ""} ${chosen ? "chosen" : ""} ${news ? "news" : ""}`} data-card=${client.id}
        ref=${measure} data-index=${place} style=${{ transform: `translateY(${start}px)` }} aria-setsize=${of} aria-posinset=${place + 1}
        draggable=${canMove} onDragStart=${begin} onFocusIn=${() => board.setActive(client.id)}
      >
        <div class="card-top">
          <input
            type="checkbox" checked=${chosen} tabindex=${reach} aria-label=${`Select ${client.name}`}
            onChange=${(event) => board.choose(client.id, event.currentTarget.checked)}
          />
          <button type="button" class="card-name" dir="auto" tabindex=${reach} title=${client.name} onClick=${() => board.openClient(client.id)}>${client.name}</button>
          <button
            type="button" class="icon-button" tabindex=${reach} aria-label=${`Move ${client.name}`} title="Move… (m)" aria-haspopup="dialog"
            disabled=${!canMove} onClick=${() => board.openMove([client.id])}
          >⇢</button>
        </div>
        <${Age} client=${client} maxDays=${maxDays} />
        <div class="card-foot">
          <${Actor} id=${client.stage_owner} look="owner" />
          <${Period} client=${client} />
          <${Attention} client=${client} />
          <${Flags} client=${client} meanings=${meanings} />
          <${Deeds} board=${board} client=${client} may=${may} reach=${reach} />
        </div>
        ${news && html`<p class="news-line"><${Actor} id=${news.actor_id} />, just now${news.reason && html`: <span dir="auto">${news.reason}</span>`}</p>`}
      </li>`;
  }
}

function Chosen({ board, chosen }) {
  return html`
    <div class="chosen-bar" role="region" aria-label="Selected clients">
      <strong>${number(chosen.size)} selected</strong>
      <button type="button" class="primary" onClick=${() => board.openMove([...chosen])}>Move…</button>
      <button type="button" onClick=${() => board.openFlag([...chosen], null, true)}>Set a flag…</button>
      <button type="button" onClick=${() => board.openFlag([...chosen], null, false)}>Clear a flag…</button>
      <button type="button" onClick=${() => board.openFields([...chosen])}>Change details…</button>
      <button type="button" onClick=${() => board.clearSelection()}>Clear selection</button>
    </div>`;
}
