// What an admin looks after: findings, jobs, settings, holidays, new clients. Others see it without the buttons.
import { Dialog, Refusal, html, number, plural, title, useState, words } from "../ui.js";
import { day, instant } from "../dates.js";
import { Table, Typed, isFirmAdmin } from "./parts.js";

export function Firm({ board, state }) {
  const { firm, me } = state;
  const isAdmin = isFirmAdmin(me);
  if (!firm) return html`<main class="page"><p class="quiet">${state.problem ? "This can't be loaded right now." : "Loading…"}</p></main>`;
  return html`
    <main class="page">
      <div class="page-head"><h2>Firm</h2></div>
      <${Findings} findings=${firm.findings} />
      <${Jobs} board=${board} firm=${firm} isAdmin=${isAdmin} />
      <${Settings} board=${board} firm=${firm} isAdmin=${isAdmin} />
      <${Stages} board=${board} firm=${firm} problem=${state.problem} isAdmin=${isAdmin} />
      <${Holidays} board=${board} firm=${firm} isAdmin=${isAdmin} />
      <${NewClient} board=${board} />
    </main>`;
}

function Findings({ findings }) {
  return html`
    <section aria-labelledby="findings-title"><h3 id="findings-title">What needs attention</h3>
      ${!findings.length && html`<p class="quiet">Nothing.</p>`}
      <ul class="outcomes">${findings.map(({ finding, severity, what, todo }, place) => html`
        <li key=${place} class=${severity === "error" ? "refused" : ""}><strong>${title(finding)}</strong><p>${what}.</p><p class="quiet" translate="no">${todo}</p></li>`)}</ul>
    </section>`;
}

const ACTIONS = ["Actions", "actions"];

function Jobs({ board, firm, isAdmin }) {
  const [tried, setTried] = useState(null);
  const [undoing, setUndoing] = useState(null);
  const actions = isAdmin ? [ACTIONS] : [];
  const tryOut = async (job) => setTried(await board.change((api) => api.runJob(job, true)));
  const run = (job) => board.change((api) => api.runJob(job, false), (done) => `${words(job)}: ${outcome(done)}.`);
  const rollBack = async (event) => {
    event.preventDefault();
    const reason = new FormData(event.currentTarget).get("reason");
    setUndoing(null);
    await board.change((api) => api.rollBackRun(undoing.run_id, reason), (done) => `${plural(done.rolled_back, "change")} of ${words(undoing.job)} rolled back, ${number(done.left.length)} kept.`);
  };
  return html`
    <section aria-labelledby="jobs-title"><h3 id="jobs-title">Jobs</h3>
      <${Table} class="jobs" heads=${[["Job"], ["State"], ["Last success"], ["Next"], ...actions]} rows=${firm.jobs.map((each) => ({
        key: each.job,
        cells: [
          html`${title(each.job)}<p class="quiet">${each.description}</p>`,
          html`${words(each.state)}${each.missed > 0 && html`<p>${number(each.missed)} missed</p>`}`,
          each.last_success ? instant(each.last_success) : "never", instant(each.next_due),
          ...(isAdmin ? [html`<div class="buttons">
            <button type="button" aria-label=${`Dry run of ${words(each.job)}`} onClick=${() => tryOut(each.job)}>Dry run</button>
            <button type="button" aria-label=${`Run ${words(each.job)} now`} disabled=${!each.is_due} onClick=${() => run(each.job)}>Run now</button></div>`] : []),
        ],
      }))} />
      <details><summary>Last runs</summary>
        <${Table} heads=${[["Run"], ["Started"], ["Outcome"], ...actions]} rows=${firm.runs.map((each) => ({
          key: each.run_id,
          cells: [
            `${number(each.run_id)} · ${words(each.job)}`, instant(each.started_at), outcome(each),
            ...(isAdmin ? [each.changed > 0 && each.outcome === "done" && html`<button type="button" aria-label=${`Roll back run ${each.run_id}`} onClick=${() => setUndoing(each)}>Roll back…</button>`] : []),
          ],
        }))} /></details>
      ${tried && html`<${DryRun} tried=${tried} onClose=${() => setTried(null)} />`}
      ${undoing && html`
        <${Dialog} title=${`Roll back run ${undoing.run_id}`} onClose=${() => setUndoing(null)}>
          <form class="change" onSubmit=${rollBack}>
            <p>Rolls back everything that ${words(undoing.job)} changed in this run (${outcome(undoing)}). Changes that later changes depend on are kept.</p>
            <label class="reason"><span>Why</span><textarea name="reason" rows="2" maxlength="2000" required data-first></textarea></label>
            <div class="buttons end"><button type="button" onClick=${() => setUndoing(null)}>Cancel</button><button class="primary">Roll back</button></div>
          </form><//>`}
    </section>`;
}

function outcome(run) {
  if (run.error) return `${words(run.outcome)}: ${run.error}`;
  if (run.outcome !== "done") return words(run.outcome);
  return `done, ${plural(run.changed, "change")}`;
}

function DryRun({ tried, onClose }) {
  const rows = tried.rows ?? [];
  return html`
    <${Dialog} title=${`${title(tried.job)}: dry run`} wide onClose=${onClose}>
      <p>It would change ${plural(tried.would_change ?? 0, "client")} and skip ${number(tried.would_skip ?? 0)}. Nothing was changed.</p>
      <ul class="outcomes">${rows.map((each) => html`<li key=${each.client_id}><strong dir="auto">${each.name}</strong> <span>${each.change}</span>${each.refused_by && html` <span class="quiet">skipped: ${words(each.refused_by)}</span>`}</li>`)}</ul>
      <div class="buttons end"><button type="button" class="primary" data-first onClick=${onClose}>Close</button></div>
    <//>`;
}

function Settings({ board, firm, isAdmin }) {
  const save = (setting, value) => board.change((api) => api.setSetting(setting, value), `${title(setting)} is changed.`);
  const limit = (stage, days) => board.change((api) => api.setStageLimit(stage, days), `${title(stage)}: ${days ? plural(Number(days), "day") : "no limit"}.`);
  return html`
    <section aria-labelledby="settings-title"><h3 id="settings-title">Settings</h3>
      <div class="fields">
        ${Object.entries(firm.settings).map(([name, value]) => html`<${Setting} key=${name} id=${`setting-${name}`} label=${title(name)} value=${String(value)} isAdmin=${isAdmin} onSave=${(typed) => save(name, typed)} />`)}
      </div>
      <h4>Days that a client can be in a stage</h4>
      <div class="fields">
        ${firm.stages.map(({ stage, max_days: days }) => html`<${Setting} key=${stage} id=${`limit-${stage}`} label=${title(stage)} value=${days == null ? "" : String(days)} shown=${days == null ? "no limit" : days} isAdmin=${isAdmin} onSave=${(typed) => limit(stage, typed)} />`)}
      </div>
    </section>`;
}

/** A value that is saved when it was changed and Enter or Save is pressed. */
function Setting({ id, label, value, shown = value, isAdmin, onSave }) {
  const [typed, setTyped] = useState(null);
  if (!isAdmin) return html`<div class="field"><span class="label">${label}</span><span class="stored">${shown}</span></div>`;
  const submit = async (event) => {
    event.preventDefault();
    if (typed != null && (await onSave(typed.trim()))) setTyped(null);
  };
  return html`
    <form class="field" onSubmit=${submit}><label for=${id}>${label}</label>
      <span class="buttons"><input id=${id} value=${typed ?? value} onInput=${(event) => setTyped(event.currentTarget.value)} />
        ${typed != null && typed !== value && html`<button class="primary">Save</button>`}</span></form>`;
}

/** The stages, their limits, and who can move a client where. */
function Stages({ board, firm, problem, isAdmin }) {
  const [edited, setEdited] = useState(null);
  const movesOf = (stage) => firm.transitions.filter((each) => each.from_stage === stage);
  return html`
    <section aria-labelledby="stages-title"><h3 id="stages-title">Stages and moves</h3>
      <p class="quiet">Which stage can follow which, and the permission that each move needs. Admins can override.</p>
      <${Table} heads=${[["Stage"], ["Days"], ["Can go to"], ...(isAdmin ? [ACTIONS] : [])]} rows=${firm.stages.map(({ stage, description, max_days: days, has_fixed_moves: isFixed }) => ({
        key: stage,
        cells: [
          html`${title(stage)}<p class="quiet">${description}</p>`, days ?? "no limit",
          movesOf(stage).length ? html`<ul>${movesOf(stage).map((each) => html`<li key=${each.to_stage}>${title(each.to_stage)} <span class="quiet">· ${each.needs}${each.note && ` · ${each.note}`}</span></li>`)}</ul>` : html`<span class="quiet">no other stage</span>`,
          ...(isAdmin ? [!isFixed && html`<button type="button" aria-label=${`Moves from ${title(stage)}`} onClick=${() => { board.clearProblem(); setEdited(stage); }}>Moves…</button>`] : []),
        ],
      }))} />
      ${edited && html`
        <${Dialog} title=${`Moves from ${title(edited)}`} wide onClose=${() => setEdited(null)}>
          <${Refusal} error=${problem} />
          <div class="moves">${firm.stages.filter(({ stage }) => stage !== edited).map(({ stage }) => {
            const move = movesOf(edited).find((each) => each.to_stage === stage);
            return html`<${Move} key=${`${stage} ${move?.permission} ${move?.note}`} board=${board} from=${edited} to=${stage} move=${move} permissions=${firm.permissions} />`;
          })}</div>
          <div class="buttons end"><button type="button" class="primary" data-first onClick=${() => setEdited(null)}>Close</button></div>
        <//>`}
    </section>`;
}

/** One possible move: the permission that it needs, or that it isn't allowed. */
function Move({ board, from, to, move, permissions }) {
  const [isChanged, setChanged] = useState(false);
  const name = `${title(from)} to ${title(to)}`;
  const save = (event) => {
    event.preventDefault();
    const { permission, note } = Object.fromEntries(new FormData(event.currentTarget));
    board.change((api) => api.setTransition(from, to, permission, note.trim()), permission ? `${name} needs the permission to ${permissions[permission]}.` : `${name} is no longer allowed.`);
  };
  return html`
    <form class="move" onSubmit=${save} onInput=${() => setChanged(true)}>
      <label for=${`move-${to}`}>${title(to)}</label>
      <select id=${`move-${to}`} name="permission">
        <option value="" selected=${!move}>not allowed</option>
        ${Object.entries(permissions).map(([permission, means]) => html`<option key=${permission} value=${permission} selected=${move?.permission === permission}>${means}</option>`)}
      </select>
      <${Typed} name="note" aria-label=${`Note for ${title(to)}`} placeholder="what it means" maxlength="200" value=${move?.note ?? ""} />
      ${isChanged && html`<button class="primary" aria-label=${`Save ${name}`}>Save</button>`}
    </form>`;
}

function Holidays({ board, firm, isAdmin }) {
  const add = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { day: when, name } = Object.fromEntries(new FormData(form));
    if (await board.change((api) => api.setHoliday(when, name), `${name} is a holiday.`)) form.reset();
  };
  const remove = ({ day: when, name }) => board.change((api) => api.setHoliday(when), `${name} is a business day again.`);
  return html`
    <section aria-labelledby="holidays-title"><h3 id="holidays-title">Holidays of ${firm.year}</h3>
      <${Table} heads=${[["Day"], ["Name"], ...(isAdmin ? [ACTIONS] : [])]} rows=${firm.holidays.map((each) => ({
        key: each.day,
        cells: [day(each.day), each.name, ...(isAdmin ? [html`<button type="button" aria-label=${`Remove ${each.name}`} onClick=${() => remove(each)}>Remove</button>`] : [])],
      }))} />
      ${isAdmin && html`<form class="buttons" onSubmit=${add}>
        <label class="filter"><span>Day</span><input type="date" name="day" required /></label>
        <label class="filter"><span>Name</span><input name="name" required maxlength="200" /></label>
        <button>Add the holiday</button></form>`}
    </section>`;
}

function NewClient({ board }) {
  const add = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (await board.addClient(Object.fromEntries(new FormData(form)))) form.reset();
  };
  return html`
    <section aria-labelledby="new-client-title"><h3 id="new-client-title">Add a client</h3>
      <form class="buttons" onSubmit=${add}>
        <label class="filter"><span>Name</span><input name="name" required maxlength="200" dir="auto" /></label>
        <label class="filter"><span>Short name <small>such as amber-lane</small></span><input name="slug" required maxlength="200" spellcheck="false" autocapitalize="none" /></label>
        <button>Add</button></form>
      <p class="quiet">For many clients at once, use <code translate="no">atlas-stage client import</code>.</p>
    </section>`;
}
