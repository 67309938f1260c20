// One client: its stage and flags, the allowed changes, its fields and its history.
import { Dialog, Fragment, Refusal, html, nameOf, title, words } from "../ui.js";
import { ago, day, instant, month as monthName } from "../dates.js";
import { Actor, Age, Attention, Period, Toast, deedOf, flagsBeside, maxDaysOf, meaningsOf, through } from "./parts.js";

export function Drawer({ board, state }) {
  const { drawer, summary, allowed } = state;
  const { client, error, rows } = drawer;
  const may = allowed.get(drawer.id);
  return html`
    <${Dialog} title=${client?.name ?? "Client"} side onClose=${() => board.closeClient()}>
      <${Refusal} error=${error} />
      ${client && html`
        <${Standing} board=${board} client=${client} summary=${summary} may=${may} />
        <${Fields} board=${board} state=${state} may=${may} />
        <${History} board=${board} drawer=${drawer} client=${client} rows=${rows} may=${may} zone=${summary.time_zone} />`}
      ${!client && !error && html`<p class="quiet">Loading…</p>`}
      <${Toast} board=${board} toast=${state.toast} />
    <//>`;
}

function Standing({ board, client, summary, may }) {
  const meanings = meaningsOf(summary);
  const maxDays = maxDaysOf(summary).get(client.stage);
  const maySet = may?.set_flags ?? [];
  const mayClear = may?.clear_flags ?? [];
  const beside = flagsBeside(client, meanings);
  const flags = client.flags.filter((flag) => beside.includes(flag) || mayClear.includes(flag));
  return html`
    <section aria-label="Stage and flags">
      <div class="standing">
        <span class="stage-name">${title(client.stage)}</span>
        <${Period} client=${client} />
        <${Attention} client=${client} />
        ${!client.active && html`<span class="badge">inactive</span>`}
        <span class="quiet">since ${instant(client.stage_entered_at)}${client.returning_to_stage && ` · returns to ${words(client.returning_to_stage)}`}</span>
      </div>
      <${Age} client=${client} maxDays=${maxDays} />
      <div class="buttons" role="group" aria-label="Moves">
        ${may?.moves.map((move) => html`
          <button key=${move.to_stage} type="button" onClick=${() => board.openMove([client.id], move.to_stage, Boolean(deedOf(move)))}>
            ${deedOf(move) ?? html`${title(move.to_stage)}${move.note && html`<small>${move.note}</small>`}`}
          </button>`)}
        ${may && !may.moves.length && html`<p class="quiet">You don't have permission to move this client from here.</p>`}
      </div>
      <div class="flag-row">
        ${flags.map((flag) => html`
          <span key=${flag} class="badge flag" title=${meanings.get(flag)}>${words(flag)}
            ${mayClear.includes(flag) && html`<button type="button" aria-label=${`Clear ${words(flag)}`} title="Clear…" onClick=${() => board.openFlag([client.id], flag, false)}>✕</button>`}
          </span>`)}
        ${maySet.length > 0 && html`<button type="button" onClick=${() => board.openFlag([client.id])}>Set a flag…</button>`}
      </div>
    </section>`;
}

// The arguments of update_client, the column that each changes, and the kind of its input.
export const FIELDS = [
  { name: "owner", column: "stage_owner", label: "Owner", kind: "actor", hint: "user:… or agent:…" },
  { name: "collaborators", column: "stage_collaborators", label: "Collaborators", kind: "actors", hint: "separate with commas" },
  { name: "reviewers", column: "eligible_reviewers", label: "Reviewers", kind: "actors", hint: "who can sign off; leave empty for anyone with permission" },
  { name: "tier", column: "service_tier", label: "Service tier", kind: "word" },
  { name: "cadence", column: "close_cadence", label: "Close", kind: "word" },
  { name: "schedule", column: "sales_tax_schedule", label: "Sales tax", kind: "word" },
  { name: "notes", column: "stage_notes", label: "Notes", kind: "text" },
  { name: "active", column: "active", label: "Active", kind: "yes" },
];

/** A column as its label in the details says it. */
export const fieldName = (column) => FIELDS.find((each) => each.column === column)?.label.toLowerCase() ?? words(column);

/** The people that the inputs for actors suggest: those with a client, until all are loaded. */
export function Actors({ state }) {
  const known = state.people?.people.map((each) => each.actor_id) ?? state.summary.owners.map((each) => each.owner).filter(Boolean);
  return html`<datalist id="actors">${known.map((actor) => html`<option key=${actor} value=${actor} />`)}</datalist>`;
}

/** Asks about actors whom the firm doesn't know. */
export const Unknown = ({ actors }) => actors && html`
  <p class="refusal conflict" role="alert">${actors.join(", ")} ${actors.length === 1 ? "isn't" : "aren't"} known here yet. Check the spelling, or save anyway.</p>`;

function Fields({ board, state, may }) {
  const { summary } = state;
  const { client, edit } = state.drawer;
  const editable = new Set(may?.fields ?? []);
  const isChanged = edit && Object.keys(edit.values).length > 0;
  const submit = (event) => {
    event.preventDefault();
    if (isChanged && !edit.sending) board.saveEdit();
  };
  return html`
    <section aria-labelledby="fields-title">
      <h3 id="fields-title">Details</h3>
      <form class="fields" onSubmit=${submit}>
        <${Actors} state=${state} />
        ${FIELDS.map((field) => html`<${Field} key=${field.name} field=${field} client=${client} editable=${editable.has(field.name)} summary=${summary}
          typed=${edit?.values[field.name]} onType=${(value) => board.edit({ values: { [field.name]: value } })} />`)}
        <div class="field"><span class="label">Slug</span><span dir="auto">${client.slug}</span></div>
        ${isChanged && html`
          <div class="field"><label for="edit-reason">Why (optional)</label>
            <input id="edit-reason" data-first value=${edit.reason} maxlength="2000" dir="auto" onInput=${(event) => board.edit({ reason: event.currentTarget.value })} /></div>
          <${Refusal} error=${edit.error} />
          <${Unknown} actors=${edit.unknown} />
          ${edit.conflict && html`<${Conflict} conflict=${edit.conflict} onLook=${() => board.lookAgainAtEdit()} />`}
          <div class="buttons end">
            <button type="button" onClick=${() => board.dropEdit()}>Discard changes</button>
            <button class="primary" disabled=${Boolean(edit.conflict)} aria-disabled=${edit.sending}>${edit.sending ? "Saving…" : edit.unknown ? "Save anyway" : "Save"}</button>
          </div>`}
      </form>
    </section>`;
}

export function Field({ field, client, editable, summary, typed, onType }) {
  const { name, column, label, kind, hint } = field;
  const stored = client?.[column];
  const id = `field-${name}`;
  if (!editable) {
    return html`<div class="field"><span class="label">${label}</span><span dir="auto" class="stored">${asText(stored, kind) || "—"}</span></div>`;
  }
  const value = typed ?? stored;
  const input = {
    actor: () => html`<input id=${id} list="actors" value=${value ?? ""} dir="auto" spellcheck="false" autocapitalize="none" onInput=${(event) => onType(event.currentTarget.value.trim())} />`,
    // The typed text is kept unchanged and only split for the request.
    actors: () => html`<input id=${id} defaultValue=${(value ?? []).join(", ")} key=${client?.version} dir="auto" spellcheck="false" autocapitalize="none" onInput=${(event) => onType(split(event.currentTarget.value))} />`,
    word: () => html`<select id=${id} onChange=${(event) => onType(event.currentTarget.value)}>${(summary.words[column] ?? [stored]).map((word) => html`<option value=${word} selected=${word === value}>${title(word)}</option>`)}</select>`,
    text: () => html`<textarea id=${id} rows="3" dir="auto" maxlength="10000" value=${value ?? ""} onInput=${(event) => onType(event.currentTarget.value)}></textarea>`,
    yes: () => html`<input id=${id} type="checkbox" checked=${value} onChange=${(event) => onType(event.currentTarget.checked)} />`,
  }[kind];
  return html`
    <div class=${`field ${typed === undefined ? "" : "typed"}`}><label for=${id}>${label}${hint && html` <small>${hint}</small>`}</label>${input()}</div>`;
}

const split = (text) => text.split(/[,\s]+/).filter(Boolean);

function asText(value, kind) {
  if (value == null) return "";
  if (kind === "actor") return nameOf(value);
  if (kind === "actors") return value.map(nameOf).join(", ");
  if (kind === "yes") return value ? "yes" : "no";
  return kind === "word" ? title(value) : String(value);
}

/** A conflict: the changes that another actor made after the user opened the client. */
export function Conflict({ conflict, onLook }) {
  const look = (event) => {
    // This button disappears.
    event.currentTarget.form.querySelector("[data-first]")?.focus();
    onLook();
  };
  return html`
    <div class="refusal conflict" role="alert">
      <p class="refusal-message">Someone changed this client after you opened it. Your change wasn't made.</p>
      ${conflict.error ? html`<p>The changes can't be loaded right now.</p>` : html`<ol class="timeline">${conflict.rows.map((row) => html`<${Row} key=${row.id} row=${row} />`)}</ol>`}
      <p><strong>What to do:</strong> check what changed, then decide again. What you typed is kept.</p>
      <button type="button" class="primary" onClick=${look}>Look again</button>
    </div>`;
}

function History({ board, drawer, client, rows, may, zone }) {
  return html`
    <section aria-labelledby="history-title">
      <h3 id="history-title">History</h3>
      <p class="quiet">Times are in the firm's time zone, ${zone}.</p>
      <ol class="timeline">
        ${rows.map((row) => html`
          <${Row} key=${row.id} row=${row}>
            ${may?.may_roll_back && row.is_reversible
              && html`<button type="button" class="link" onClick=${() => board.openRollback(client.id, row)}>Roll back…</button>`}
          <//>`)}
      </ol>
      ${drawer.next != null && html`<button type="button" onClick=${() => board.showOlder()}>Show older</button>`}
    </section>`;
}

export function Row({ row, children }) {
  const changes = row.payload?.changed ?? {};
  return html`
    <li>
      <p class="row-what">${whatChanged(row).map((part) => html`<span>${part}</span>`)}</p>
      ${Object.entries(changes).map(([name, change]) => html`<p class="row-field" key=${name}><span class="label">${fieldName(name)}</span> <${FromTo} column=${name} change=${change} /></p>`)}
      ${row.reason && html`<p class="row-why" dir="auto">${row.reason}</p>`}
      <p class="quiet"><${Actor} id=${row.person} />${through(row)}${how(row)} · <time datetime=${row.occurred_at} title=${ago(row.occurred_at)}>${instant(row.occurred_at)}</time>${children && html` · ${children}`}</p>
    </li>`;
}

function whatChanged(row) {
  const parts = [];
  if (row.to_stage && !row.from_stage) parts.push(`Added in ${words(row.to_stage)}`);
  else if (row.to_stage) parts.push(`${title(row.from_stage)} → ${title(row.to_stage)}`);
  if (row.close_period) parts.push(monthName(row.close_period));
  if (row.flag_added) parts.push(`Flag set: ${words(row.flag_added)}`);
  if (row.flag_removed) parts.push(`Flag cleared: ${words(row.flag_removed)}`);
  const { hand_over: handedOver, gives_back: givesBack } = row.payload ?? {};
  if (givesBack) parts.push("Given back");
  else if (handedOver) parts.push(`Handed over${handedOver.until ? ` until ${day(handedOver.until)}` : ""}`);
  if (!parts.length) parts.push("Details changed");
  return parts;
}

function how(row) {
  const parts = [];
  if (!["manual", "agent_action"].includes(row.trigger_type)) parts.push(` (${words(row.trigger_type)}${row.triggered_by ? `, ${row.triggered_by}` : ""})`);
  if (row.channel !== "api") parts.push(` by ${words(row.channel)}`);
  return parts.join("");
}

function FromTo({ column, change }) {
  const kind = FIELDS.find((each) => each.column === column)?.kind;
  return html`<${Fragment}><span dir="auto">${asText(change.from, kind) || "nothing"}</span> → <span dir="auto">${asText(change.to, kind) || "nothing"}</span><//>`;
}
