// What happened in the firm, newest first: by person, client and day. Each line is a sentence.
import { Fragment, html, plural, title, useState, words } from "../ui.js";
import { ago, day, dayOf, instant, month as monthName, serverNow } from "../dates.js";
import { Actors, fieldName } from "./drawer.js";
import { Actor, Typed, isFirmAdmin, through } from "./parts.js";

export function Activity({ board, state }) {
  const { activity } = state;
  return html`
    <main class="page">
      <div class="page-head"><div><h2>Activity</h2><p class="quiet">Every change of every client, newest first.</p></div></div>
      <${Filters} board=${board} state=${state} />
      ${!activity ? html`<p class="quiet">${state.problem ? "The activity couldn't be loaded." : "Loading…"}</p>` : html`
        ${!activity.rows.length && html`<p class="nothing">No changes found.</p>`}
        <ol class="timeline activity">${together(activity.rows).map((rows) => html`<${Line} key=${rows[0].id} board=${board} state=${state} rows=${rows} isWhole=${!activity.next || !rows.includes(activity.rows.at(-1))} />`)}</ol>
        ${activity.next && html`<p class="more"><button type="button" onClick=${() => board.showOlderActivity()}>Show older</button></p>`}`}
    </main>`;
}

function Filters({ board, state }) {
  const { by, of, day: chosenDay, activity } = state;
  const [nothing, setNothing] = useState(null);
  const pickClient = async (text) => {
    const client = text ? await board.findClient(text) : null;
    setNothing(text && !client ? text : null);
    board.filterActivity({ of: client?.id ?? null });
  };
  const pickPerson = (text) => board.filterActivity({ by: text && !text.includes(":") ? `user:${text}` : text || null });
  return html`
    <search class="filters" aria-label="Filters">
      <${Actors} state=${state} />
      <label class="filter"><span>Person</span><${Typed} list="actors" value=${by ?? ""} spellcheck="false" autocapitalize="none" onPick=${pickPerson} /></label>
      <label class="filter"><span>Client</span><${Typed} value=${(of && activity?.name) || ""} dir="auto" spellcheck="false" placeholder="part of a name" onPick=${pickClient} /></label>
      <label class="filter"><span>Day</span><${Typed} type="date" max=${dayOf(serverNow())} value=${chosenDay ?? ""} onPick=${(picked) => board.filterActivity({ day: picked || null })} /></label>
      ${(by || of || chosenDay) && html`<button type="button" onClick=${() => board.filterActivity({ by: null, of: null, day: null })}>Show all</button>`}
      ${nothing && html`<p role="status">No client is called “${nothing}”.</p>`}
    </search>`;
}

/** The rows, with those that one call or one run of a job made alike in one group. */
function together(rows) {
  const groups = [];
  let last;
  for (const row of rows) {
    const of = row.batch ?? row.payload?.run_id ?? row.payload?.rolls_back_batch ?? row.payload?.rolls_back_run;
    const alike = of && JSON.stringify([of, row.from_stage, row.to_stage, row.close_period, row.flag_added, row.flag_removed, row.reason, row.is_rolled_back]);
    if (alike && alike === last) groups.at(-1).push(row);
    else groups.push([row]);
    last = alike;
  }
  return groups;
}

/** One line for rows that are alike. `isWhole`: no more of them can be on the next page. */
function Line({ board, state, rows, isWhole }) {
  const { me } = state;
  const [row] = rows;
  const isMany = rows.length > 1;
  const mayUndo = rows.some((each) => new Date(each.undo_until) > serverNow()) && (!isMany || (row.batch && isWhole));
  const mayRollBack = row.is_reversible && !mayUndo && !isMany && isFirmAdmin(me);
  const name = (each) => html`<button type="button" class="link" dir="auto" onClick=${() => board.openClient(each.client_id)}>${each.client_name}</button>`;
  const client = isMany ? plural(rows.length, "client") : name(row);
  return html`
    <li class=${row.is_rolled_back ? "undone" : ""}>
      <p><strong><${Actor} id=${row.person} /></strong>${through(row)}${row.person !== row.actor_id && ","} ${did(row, client)}${row.reason && html`: <span dir="auto" class="row-why">${row.reason}</span>`}</p>
      <p class="quiet"><time datetime=${row.occurred_at} title=${ago(row.occurred_at)}>${instant(row.occurred_at)}</time>${row.is_rolled_back && " · undone"}${row.trigger_type === "manual_override" && " · override"}
        ${mayUndo && html` · <button type="button" class="link" onClick=${() => (isMany ? board.undoRows(rows) : board.undoRow(row))}>${isMany ? "Undo all" : "Undo"}</button>`}
        ${mayRollBack && html` · <button type="button" class="link" onClick=${() => board.openRollback(row.client_id, row)}>Roll back…</button>`}</p>
      ${isMany && html`<details><summary>Which clients</summary><ul>${rows.map((each) => html`<li key=${each.id}>${name(each)}</li>`)}</ul></details>`}
    </li>`;
}

/** What a history row did, after the name of who did it. */
function did(row, client) {
  const { from_stage: from, to_stage: to, flag_added: added, flag_removed: removed, close_period: period, payload } = row;
  const undid = row.trigger_type === "rollback" ? "undid a change: " : "";
  const month = period ? ` for ${monthName(period)}` : "";
  if (to && !from) return html`<${Fragment}>added ${client} in ${title(to)}<//>`;
  if (to) return html`<${Fragment}>${undid}moved ${client} from ${title(from)} to ${title(to)}${month}<//>`;
  if (added) return html`<${Fragment}>${undid}set the flag ${words(added)} on ${client}<//>`;
  if (removed) return html`<${Fragment}>${undid}cleared the flag ${words(removed)} of ${client}<//>`;
  const { hand_over: handedOver, gives_back: givesBack, changed = {} } = payload ?? {};
  if (givesBack) return html`<${Fragment}>gave ${client} back to <${Actor} id=${handedOver.to} /><//>`;
  if (handedOver) return html`<${Fragment}>handed ${client} over from <${Actor} id=${handedOver.from} /> to <${Actor} id=${handedOver.to} />${handedOver.until && ` until ${day(handedOver.until)}`}<//>`;
  return html`<${Fragment}>${undid}changed ${Object.keys(changed).map(fieldName).join(", ") || "details"} of ${client}<//>`;
}
