// The filters of the API. The choices come from the summary.
import { MOST_PRESSING } from "../board.js";
import { html, number, title, useEffect, useRef } from "../ui.js";

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
  const owner = filters.owner === "" ? "nobody" : filters.owner ? `is ${filters.owner}` : "";

  return html`
    <form class="filters" role="search" aria-label="Filter the clients" onSubmit=${(event) => event.preventDefault()}>
      <label class="filter grow"><span>Search</span>
        <input id="search" ref=${search} type="search" placeholder="Name or slug" onInput=${typed} maxlength="200" /></label>
      <${Choice} label="Owner" value=${owner} all="Any" onChoose=${(value) => set("owner", value === "nobody" ? "" : value ? value.slice(3) : null)}
        options=${summary.owners.map(({ owner: each, clients }) => (each ? [`is ${each}`, `${each} (${number(clients)})`] : ["nobody", `No owner (${number(clients)})`]))} />
      <${Choice} label="Flag" value=${filters.flag} all="Any" onChoose=${(value) => set("flag", value || null)}
        options=${summary.flags.map(({ flag, clients }) => [flag, `${title(flag)} (${number(clients)})`])} />
      <${Choice} label="Attention" value=${filters.attention} all="Any" onChoose=${(value) => set("attention", value || null)}
        options=${Object.entries(summary.attention).map(([attention, clients]) => [attention, `${title(attention)} (${number(clients)})`])} />
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
    </form>`;
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
