// The close of a month, on one page that can be printed.
import { Fragment, html, number, plural, title, useEffect, useRef, words } from "../ui.js";
import { day, dayOf, instant, month as monthName, monthBefore, shortDay, shortMonth, stamp } from "../dates.js";
import { csv, download } from "../csv.js";
import { Bars, StackedDays } from "./chart.js";
import { Actor, Table, Typed } from "./parts.js";

// The states of a close, from the last to the first, and the color of each.
const STATES = [
  { name: "closed", style: "s4" },
  { name: "in_review", style: "s3" },
  { name: "open", style: "s2" },
  { name: "paused" },
  { name: "not_opened", style: "s1" },
];
// A close doesn't tell on which days it was paused, so the chart shows a paused one in the state that it was paused in.
const STATES_BY_DAY = STATES.filter(({ name }) => name !== "paused");
const MOST_DAYS = 62;

export function Report({ board, state }) {
  const { report, summary } = state;
  const month = state.month ?? report?.month;
  if (!month) return html`<main class="page"><p class="quiet">${state.problem ? "The report couldn't be loaded." : "Loading…"}</p></main>`;
  const isHere = report?.month === month && !report.loading;
  const firmToday = dayOf(summary.as_of);
  return html`
    <main class="page report" aria-busy=${!isHere}>
      <div class="page-head">
        <div><h2>The close of ${monthName(month)}</h2>
          <p class="quiet">Days are in the firm's time zone, ${words(summary.time_zone)}. As of ${instant(summary.as_of)}.${isHere && ` Late: not signed off by ${day(lastDay(report.due_at))}.`}</p></div>
        <div class="buttons no-print">
          <button type="button" aria-label="Previous month" onClick=${() => board.showMonth(monthBefore(month))}>‹</button>
          <label class="filter"><span class="unseen">Month</span>
            <${Typed} type="month" value=${month} required onPick=${(picked) => picked && board.showMonth(picked)} /></label>
          <button type="button" aria-label="Next month" disabled=${month >= firmToday.slice(0, 7)} onClick=${() => board.showMonth(monthBefore(month, -1))}>›</button>
          <button type="button" disabled=${!isHere} onClick=${() => save(report)}>Save as CSV</button>
          <button type="button" disabled=${!isHere} onClick=${() => print()}>Print</button>
        </div>
      </div>
      ${isHere ? html`<${Body} board=${board} report=${report} summary=${summary} />` : html`<p class="quiet">Loading…</p>`}
    </main>`;
}

function Body({ board, report, summary }) {
  const { closes, month, months } = report;
  const table = useRef();
  useEffect(() => {
    const open = () => { if (table.current) table.current.open = true; };
    addEventListener("beforeprint", open);
    return () => removeEventListener("beforeprint", open);
  }, []);
  if (!closes.length) return html`<p class="nothing">No clients close in ${monthName(month)}.</p>`;
  const late = closes.filter((each) => each.late);
  const days = dailyCounts(closes, summary);
  const today = dayOf(summary.as_of);
  const markAt = days.findIndex((row) => row.day === today);
  return html`
    <div class="tiles">
      <${Tile} count=${closes.length} what="to close" />
      ${STATES.map(({ name }) => html`<${Tile} key=${name} count=${count(closes, name)} what=${title(name)} />`)}
      <${Tile} count=${late.length} what="Late" bad=${late.length > 0} />
    </div>
    <div class="panels">
      <section class="panel" aria-labelledby="by-day"><h3 id="by-day">Clients by state, day by day</h3>
        ${days.length > 0 ? html`
          <${StackedDays} rows=${days} states=${STATES_BY_DAY} markAt=${markAt < 0 ? null : markAt} markLabel="today"
            label=${`Clients by state at the end of each day from ${day(days[0].day)} to ${day(days.at(-1).day)}. At the end, ${number(days.at(-1).closed)} of ${number(closes.length)} are closed.`} />
          <ul class="legend">${STATES_BY_DAY.map(({ name, style }) => html`<li key=${name}><svg viewBox="0 0 10 10" aria-hidden="true"><rect class=${style} width="10" height="10" rx="2" /></svg>${title(name)}</li>`)}</ul>`
        : html`<p class="quiet">No close has been opened yet.</p>`}
      </section>
      <section class="panel" aria-labelledby="before"><h3 id="before">Business days to close, by month</h3>
        ${months ? html`<${Months} months=${months} />` : html`<p class="quiet">Loading…</p>`}</section>
    </div>
    <section class="panel" aria-labelledby="late"><h3 id="late">Late</h3>
      ${late.length ? html`<${Closes} board=${board} rows=${late} />` : html`<p class="quiet">No clients are late.</p>`}</section>
    <section class="panel" aria-labelledby="owners"><h3 id="owners">By owner</h3>${months && html`<${Owners} owners=${months.at(-1).owners} />`}</section>
    <details class="panel" ref=${table}><summary>All ${plural(closes.length, "client")}</summary><${Closes} board=${board} rows=${closes} /></details>`;
}

/** The day in the firm's time zone that ends at an instant. */
const lastDay = (end) => dayOf(new Date(end) - 1);

const count = (closes, state) => closes.filter((each) => each.state === state).length;

const Tile = ({ count: value, what, bad }) => html`<div class=${`tile ${bad ? "bad" : ""}`}><strong>${number(value)}</strong><span class="quiet">${what}</span></div>`;

/** The numbers of closes by state at the end of each day, from the first opening to the last sign-off, or today. */
function dailyCounts(closes, summary) {
  const steps = closes.map((close) => ({
    closed: dayOf(close.signed_off_at), in_review: dayOf(close.reviewed_at), open: dayOf(close.opened_at),
  }));
  const first = steps.map((each) => each.open).filter(Boolean).sort()[0];
  if (!first) return [];
  const today = dayOf(summary.as_of);
  const isDone = closes.every((each) => each.state === "closed");
  const last = isDone ? steps.map((each) => each.closed).sort().at(-1) : today;
  return daysBetween(first, last).map((each) => {
    const row = { day: each, label: shortDay(each), closed: 0, in_review: 0, open: 0, not_opened: 0 };
    for (const step of steps) {
      row[["closed", "in_review", "open"].find((state) => step[state] && step[state] <= each) ?? "not_opened"] += 1;
    }
    return row;
  });
}

function daysBetween(first, last) {
  const days = [];
  for (const date = new Date(`${first}T00:00:00Z`); days.length < MOST_DAYS; date.setUTCDate(date.getUTCDate() + 1)) {
    const each = date.toISOString().slice(0, 10);
    if (each > last) break;
    days.push(each);
  }
  return days;
}

function Months({ months }) {
  const rows = months.map((each) => ({ label: shortMonth(each.month), value: each.median_business_days }));
  return html`
    <${Bars} rows=${rows} label=${`Median business days from opening to sign-off: ${rows.map((row) => `${row.label} ${row.value ?? "none"}`).join(", ")}`} />
    <p class="quiet">Median business days from opening to sign-off.</p>`;
}

const CLOSES = [["Client"], ["State", "state"], ["Owner"], ["Opened"], ["In review"], ["Signed off"], ["Business days", "num"], ["Late since"]];

function Closes({ board, rows }) {
  return html`
    <${Table} heads=${CLOSES} rows=${rows.map((row) => ({
      key: row.client_id,
      style: row.late && "late",
      cells: [
        html`<button type="button" class="card-name" dir="auto" onClick=${() => board.openClient(row.client_id)}>${row.name}</button>`,
        html`${title(row.state)}${row.sent_back > 0 && html` <small>sent back ${row.sent_back === 1 ? "once" : `${number(row.sent_back)} times`}</small>`}`,
        html`<${Actor} id=${row.stage_owner} />`,
        html`<${Step} at=${row.opened_at} by=${row.opened_by} />`,
        html`<${Step} at=${row.reviewed_at} by=${row.reviewed_by} />`,
        html`<${Step} at=${row.signed_off_at} by=${row.signed_off_by} through=${row.signed_off_through} />`,
        row.business_days == null ? "" : number(row.business_days),
        instant(row.late_since),
      ],
    }))} />`;
}

const Step = ({ at, by, through }) => at && html`<${Fragment}>${instant(at)}<br /><small><${Actor} id=${by} />${through && html`, through <${Actor} id=${through} />`}</small><//>`;

const OWNERS = [["Owner"], ["To close", "num"], ...STATES.map(({ name }) => [title(name), "num"]), ["Late", "num"], ["Business days", "num"]];

function Owners({ owners }) {
  return html`
    <${Table} heads=${OWNERS} rows=${owners.map((own) => ({
      key: own.owner,
      cells: [html`<${Actor} id=${own.owner} />`, number(own.clients), ...STATES.map(({ name }) => number(own[name])), number(own.late), own.median_business_days ?? ""],
    }))} />`;
}

const COLUMNS = [
  "client_id", "slug", "name", "stage_owner", "stage", "state", "opened_at", "opened_by", "reviewed_at", "reviewed_by",
  "sent_back", "reopened", "signed_off_at", "signed_off_by", "signed_off_through", "business_days", "late", "late_since",
];

function save({ month, closes }) {
  const cells = (close) => COLUMNS.map((name) => shownIn(name, close[name]));
  download(`close-${month}.csv`, csv(COLUMNS, closes.map(cells)));
}

function shownIn(name, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return /_(at|since)$/.test(name) ? stamp(value) : value;
}
