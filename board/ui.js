// What every view is made of: rendering, the store, and a few small parts.
import { Component, Fragment, h, render } from "./vendor/preact.js";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { Component, Fragment, render, useCallback, useEffect, useLayoutEffect, useRef, useState };

/** One state, replaced and never changed in place; who listens hears once however many changes come together. */
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

/** Renders again only where a property is another one: thousands of cards stand still while one moves. */
export class Pure extends Component {
  shouldComponentUpdate(next) {
    const names = Object.keys(next);
    return names.length !== Object.keys(this.props).length || names.some((name) => next[name] !== this.props[name]);
  }
}

/** A modal dialog of the browser's own: it keeps the focus inside, closes with Escape and gives the focus back. */
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

/** What the server said no with, in its words, and what to do next. */
export function Refusal({ error, children }) {
  if (!error) return null;
  const reasons = error.facts?.refusals ?? [];
  return html`
    <div class="refusal" role="alert">
      <p class="refusal-message">${sentence(error.message)}</p>
      ${error.hint && html`<p><strong>What to do:</strong> ${sentence(error.hint)}</p>`}
      ${reasons.length > 1 && html`<ul>${reasons.slice(1).map((each) => html`<li>${sentence(each.text ?? each.message)} ${each.hint && sentence(each.hint)}</li>`)}</ul>`}
      <${Facts} facts=${reasons[0] ?? error.facts} />
      ${children}
    </div>`;
}

// What a refusal's facts repeat of the message above them, or of the request.
const SAID_ALREADY = new Set(["refusals", "status", "message", "hint", "rule", "text", "client_id", "items", "index"]);

function Facts({ facts }) {
  const known = Object.entries(facts ?? {}).filter(([name, value]) => !SAID_ALREADY.has(name) && value != null);
  if (!known.length) return null;
  return html`<dl class="facts">${known.map(([name, value]) => html`
    <div><dt>${words(name)}</dt><dd>${shownFact(value)}</dd></div>`)}</dl>`;
}

function shownFact(value) {
  if (Array.isArray(value)) return value.map(shownFact).join(", ");
  if (value === null || typeof value !== "object") return words(String(value));
  return Object.entries(value).filter(([, part]) => part != null).map(([name, part]) => `${words(name)} ${shownFact(part)}`).join(", ");
}

/** `eom_close` as people read it. Ids and free text have no such words in them and stay as they are. */
export function words(word) {
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(word ?? "")) return word ?? "";
  return word.split("_").map((part) => (part === "eom" ? "EOM" : part)).join(" ");
}

export function title(word) {
  const text = words(word);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The server's lines begin small and end without a stop, as one line of many. */
export function sentence(text) {
  const line = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(line) ? line : `${line}.`;
}

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

const numbers = new Intl.NumberFormat();
export const number = (value) => numbers.format(value);
