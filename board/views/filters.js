// The filters of the API. The choices come from the summary.
import { MOST_PRESSING, isFiltered } from "../board.js";
import { html, nameOf, number, title, useEffect, useRef } from "../ui.js";

const SORTS = [[MOST_PRESSING, "Most pressing"], ["age", "Longest in stage"], ["id", "Client number"]];
const TYPING_MS = 250;

export function Filters({ board, state }) {
  const { filters, summary } = state;
  const typing = useRef();
  const search = useRef();
  useEffect(() => {
    if (document.activeElement !== search.current) search.current.value = filters.search ?? "";
  }, [filters.search]);

  const set = (name, value) => {
    const { [name]: _before, ...others } = filters;
    board.setFilters(value == null ? others : { ...others, [name]: value });
  };
  const typed = (event) => {
    clearTimeout(typing.current);
    const text = event.currentTarget.value.trim();
    typing.current = setTimeout(() => set("search", text || null), TYPING_MS);
  };
  // From the search box to the first client that it finds.
  const toCards = async (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    clearTimeout(typing.current);
    const text = search.current.value.trim();
    if (text !== (filters.search ?? "")) set("search", text || null);
    await board.filtered;
    focusFirst(board);
  };
  const counted = countsOf(state);
  const owner = filters.owner === "" ? "nobody" : filters.owner ? `is ${filters.owner}` : "";

  return html`
    <${Views} board=${board} state=${state} />
    <form class="filters" role="search" aria-label="Filter the clients" onSubmit=${(event) => event.preventDefault()}>
      <label class="filter grow"><span>Search</span>
        <input id="search" ref=${search} type="search" placeholder="Name or slug" onInput=${typed} onKeyDown=${toCards} maxlength="200" /></label>
      <${Choice} label="Owner" value=${owner} all="Any" onChoose=${(value) => set("owner", value === "nobody" ? "" : value ? value.slice(3) : null)}
        options=${summary.owners.map(({ owner: each, clients }) => (each ? [`is ${each}`, `${nameOf(each)}${counted("owner", each, clients)}`] : ["nobody", `No owner${counted("owner", "", clients)}`]))} />
      <${Choice} label="Flag" value=${filters.flag} all="Any" onChoose=${(value) => set("flag", value || null)}
        options=${summary.flags.map(({ flag, clients }) => [flag, `${title(flag)}${counted("flag", flag, clients)}`])} />
      <${Choice} label="Attention" value=${filters.attention} all="Any" onChoose=${(value) => set("attention", value || null)}
        options=${Object.entries(summary.attention).map(([attention, clients]) => [attention, `${title(attention)}${counted("attention", attention, clients)}`])} />
      <${Choice} label="Tier" value=${filters.service_tier} all="Any" onChoose=${(value) => set("service_tier", value || null)}
        options=${summary.words.service_tier.map((each) => [each, title(each)])} />
      <${Choice} label="Order" value=${filters.sort ?? MOST_PRESSING} onChoose=${(value) => set("sort", value === MOST_PRESSING ? null : value)} options=${SORTS} />
      <details class="menu filter-stages" onKeyDown=${(event) => { if (event.key === "Escape") event.currentTarget.open = false; }}>
        <summary>Stages${filters.stage ? ` (${filters.stage.length})` : ""}</summary>
        <fieldset class="menu-body"><legend class="unseen">Which stages to show</legend>
          ${summary.stages.map(({ stage }) => html`
            <label class="check"><input type="checkbox" checked=${!filters.stage || filters.stage.includes(stage)}
              onChange=${() => set("stage", toggled(summary, filters.stage, stage))} /> ${title(stage)}</label>`)}
        </fieldset>
      </details>
      ${Object.keys(filters).length > 0 && html`<button type="button" onClick=${() => board.setFilters({})}>Clear filters</button>`}
    </form>
    <${Found} state=${state} onSearch=${(text) => set("search", text)} />`;
}

const FRAMES = 60;
const STEADY = 3;

/** Focuses the first client. Cards that are still being rendered or moved lose the focus, so it is given until it stays. */
function focusFirst(board, left = FRAMES, steady = 0) {
  const { columns, summary } = board.state;
  const id = summary.stages.flatMap(({ stage }) => columns[stage]?.ids ?? [])[0];
  const name = document.querySelector(`[data-card="${id}"] .card-name`);
  const isThere = name && document.activeElement === name;
  name?.focus();
  if (left && steady < STEADY) requestAnimationFrame(() => focusFirst(board, left - 1, isThere ? steady + 1 : 0));
}

/** What to say about a search: names like the typed one if it found nothing, and how it searches a large firm. */
function Found({ state, onSearch }) {
  const { similar, searched } = state;
  if (similar.length) {
    return html`<p class="found" role="status">Nothing found. Did you mean
      ${similar.map(({ id, name }) => html` <button key=${id} type="button" class="link" dir="auto" onClick=${() => onSearch(name)}>${name}</button>`)}?</p>`;
  }
  return ["beginnings", "beginnings_first"].includes(searched) && html`<p class="found quiet">In a firm of this size, a search finds the
    beginnings of words${searched === "beginnings_first" && ", and other parts only if no word begins like that"}.</p>`;
}

/** The clients of each value of a filter, as " (12)": among those that the other filters leave, or "" where they aren't all loaded. */
function countsOf({ filters, columns, clients, summary }) {
  if (!isFiltered(filters) && !filters.stage) return (_name, _value, ofFirm) => ` (${number(ofFirm)})`;
  const stages = filters.stage ?? summary.stages.map((each) => each.stage);
  const shown = stages.map((stage) => columns[stage]).filter(Boolean);
  if (shown.some((column) => column.next != null)) return () => "";
  const list = shown.flatMap((column) => column.ids.map((id) => clients.get(id)));
  const has = {
    owner: (client, value) => (client.stage_owner ?? "") === value,
    flag: (client, value) => client.flags.includes(value),
    attention: (client, value) => client.attention === value,
  };
  // The clients with another value of a filter that is set aren't loaded.
  return (name, value) =>
    name in filters && filters[name] !== value ? "" : ` (${number(list.filter((client) => has[name](client, value)).length)})`;
}

/** Views that one click opens: those of every bookkeeper, and those saved in this browser. */
function Views({ board, state }) {
  const { filters, me, views } = state;
  const name = useRef();
  const mine = { owner: me.actor_id };
  const builtIn = [
    { name: "Mine", filters: mine },
    { name: "My late", filters: { ...mine, attention: "late" } },
    { name: "Late", filters: { attention: "late" } },
    { name: "Waiting on client", filters: { attention: "waiting_on_client" } },
  ];
  const save = (event) => {
    event.preventDefault();
    const given = name.current.value.trim();
    if (!given) return;
    board.saveView(given, filters);
    event.currentTarget.closest("details").open = false;
  };
  const button = (view) => {
    const isOn = same(view.filters, filters);
    return html`<button key=${view.name} type="button" aria-pressed=${isOn} onClick=${() => board.setFilters(isOn ? {} : view.filters)}>${view.name}</button>`;
  };
  return html`
    <div class="views" role="group" aria-label="One-click views">
      ${builtIn.map(button)}
      ${views.map((view) => html`<span key=${view.name} class="saved-view">${button(view)}
        <button type="button" class="icon-button" aria-label=${`Remove the view ${view.name}`} title="Remove this view" onClick=${() => board.removeView(view.name)}>✕</button></span>`)}
      ${Object.keys(filters).length > 0 && html`
        <details class="menu" onKeyDown=${(event) => { if (event.key === "Escape") event.currentTarget.open = false; }}><summary>Save view</summary>
          <form class="menu-body" onSubmit=${save}>
            <label>Name <input ref=${name} required maxlength="40" /></label>
            <button class="primary">Save in this browser</button>
          </form></details>`}
    </div>`;
}

function same(one, other) {
  const sorted = (filters) => JSON.stringify(Object.entries(filters).sort());
  return sorted(one) === sorted(other);
}

/** The selected stages with this one added or removed; null (no filter) if that leaves all or none. */
function toggled(summary, chosen, stage) {
  const all = summary.stages.map((each) => each.stage);
  const before = new Set(chosen ?? all);
  if (!before.delete(stage)) before.add(stage);
  return before.size === 0 || before.size === all.length ? null : all.filter((each) => before.has(each));
}

function Choice({ label, value, all, options, onChoose }) {
  // A value from the address that the summary doesn't list is shown unchanged.
  const known = !value || options.some(([option]) => option === value);
  return html`
    <label class="filter"><span>${label}</span>
      <select value=${value ?? ""} onChange=${(event) => onChoose(event.currentTarget.value)}>
        ${all && html`<option value="" selected=${!value}>${all}</option>`}
        ${options.map(([option, text]) => html`<option value=${option} selected=${option === value}>${text}</option>`)}
        ${!known && html`<option value=${value} selected>${value}</option>`}
      </select></label>`;
}
