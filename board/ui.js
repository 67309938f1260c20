// Shared by all views: rendering, the store, and a few small components.
import { Component, Fragment, h, render } from "./vendor/preact.js";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { Component, Fragment, render, useCallback, useEffect, useLayoutEffect, useRef, useState };

/** The state, which is replaced and never modified. Listeners are called once per group of changes. */
export class Store {
  #listeners = new Set();
  #scheduled = false;

  constructor(state) {
    this.state = state;
  }

  set(patch) {
    this.state = { ...this.state, ...patch };
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Renders again only if a property changed, so one moved card doesn't re-render thousands. */
export class Pure extends Component {
  shouldComponentUpdate(next) {
    const names = Object.keys(next);
    return names.length !== Object.keys(this.props).length || names.some((name) => next[name] !== this.props[name]);
  }
}

/** The browser's modal dialog: it keeps the focus inside, closes with Escape and restores the focus. */
export function Dialog({ title, onClose, wide, side, children }) {
  const element = useRef();
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    dialog.querySelector("[data-first]")?.focus();
    return () => dialog.close();
  }, []);
  return html`
    <dialog
      ref=${element}
      class=${`dialog ${wide ? "wide" : ""} ${side ? "side" : ""}`}
      aria-labelledby="dialog-title-${side ? "side" : "front"}"
      onCancel=${(event) => { event.preventDefault(); onClose(); }}
      onClick=${(event) => { if (event.target === element.current) onClose(); }}
    >
      <div class="dialog-inside">
        <header class="dialog-head">
          <h2 id="dialog-title-${side ? "side" : "front"}" dir="auto">${title}</h2>
          <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick=${onClose}>✕</button>
        </header>
        ${children}
      </div>
    </dialog>`;
}

/** The server's message about a refusal, every other reason, and what to do. An admin learns which session holds a client. */
export function Refusal({ error, children }) {
  if (!error) return null;
  const { refusals: reasons = [], held_by: holder, details } = error.facts ?? {};
  return html`
    <div class="refusal" role="alert">
      <p class="refusal-message">${sentence(error.message)}</p>
      ${error.hint && html`<p><strong>What to do:</strong> ${sentence(error.hint)}</p>`}
      ${reasons.length > 1 && html`<ul>${reasons.slice(1).map((each) => html`<li>${sentence(each.text ?? each.message)}</li>`)}</ul>`}
      ${holder && html`<p>It is held by process ${holder.process}, login ${holder.login}${holder.program && `, program ${holder.program}`}.</p>`}
      ${details && html`<p>${details}</p>`}
      ${children}
    </div>`;
}

/** `eom_close` as "EOM close". Ids and free text are returned unchanged. */
export function words(word) {
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(word ?? "")) return word ?? "";
  return word.split("_").map((part) => (part === "eom" ? "EOM" : part)).join(" ");
}

export function title(word) {
  const text = words(word);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An actor as people call it: a person's name, a job's, or the whole id. */
export function nameOf(actor) {
  const job = actor.match(/^system:cron:(.*)$/)?.[1];
  return job ? `the job ${words(job)}` : actor.replace(/^user:/, "");
}

/** A message with a capital letter and a period: the server's constant messages have neither. */
export function sentence(text) {
  const line = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(line) ? line : `${line}.`;
}

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

const numbers = new Intl.NumberFormat();
export const number = (value) => numbers.format(value);
