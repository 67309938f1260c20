// Two charts as SVG, which prints sharply. Their labels give the numbers to screen readers.
import { ticks } from "../vendor/d3-array.js";
import { area, curveStepAfter, stack } from "../vendor/d3-shape.js";
import { html, number } from "../ui.js";

const SIZE = { width: 760, height: 300, left: 36, right: 12, top: 14, bottom: 30 };

/** The number of clients in each state at the end of each day, stacked. `rows`: {label, values by state}. */
export function StackedDays({ rows, states, markAt, markLabel, label }) {
  const { width, height, left, right, top, bottom } = SIZE;
  const most = Math.max(1, ...rows.map((row) => states.reduce((sum, { name }) => sum + row[name], 0)));
  const x = (place) => left + (place / Math.max(1, rows.length)) * (width - left - right);
  const y = (value) => height - bottom - (value / most) * (height - top - bottom);
  // A day's value is drawn until the next day begins, so the last row is repeated.
  const layers = stack().keys(states.map(({ name }) => name))([...rows, rows.at(-1)]);
  const shape = area().x((_, place) => x(place)).y0(([low]) => y(low)).y1(([, high]) => y(high)).curve(curveStepAfter);
  const every = Math.ceil(rows.length / 9);
  return html`
    <svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
      ${ticks(0, most, 5).filter(Number.isInteger).map((tick) => html`
        <g key=${tick}><line class="axis" x1=${left} x2=${width - right} y1=${y(tick)} y2=${y(tick)} />
          <text x=${left - 6} y=${y(tick) + 4} text-anchor="end">${number(tick)}</text></g>`)}
      ${layers.map((layer, place) => html`<path key=${layer.key} class=${states[place].style} d=${shape(layer)} />`)}
      ${rows.map((row, place) => place % every === 0 && html`<text key=${row.label} x=${x(place) + 2} y=${height - 10}>${row.label}</text>`)}
      ${markAt != null && html`<g><line class="mark" x1=${x(markAt)} x2=${x(markAt)} y1=${top - 6} y2=${height - bottom} />
        <text class="value" x=${x(markAt) + (markAt > rows.length / 2 ? -4 : 4)} y=${top + 4} text-anchor=${markAt > rows.length / 2 ? "end" : "start"}>${markLabel}</text></g>`}
    </svg>`;
}

/** One bar per month; the last month is highlighted. */
export function Bars({ rows, label }) {
  const { width, height, top, bottom } = { ...SIZE, width: 460 };
  const most = Math.max(1, ...rows.map((row) => row.value ?? 0));
  const band = width / rows.length;
  const y = (value) => height - bottom - (value / most) * (height - top - bottom - 14);
  return html`
    <svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label=${label}>
      <line class="axis" x1="0" x2=${width} y1=${height - bottom} y2=${height - bottom} />
      ${rows.map((row, place) => html`
        <g key=${row.label}>
          ${row.value != null && html`<rect class=${place === rows.length - 1 ? "s2" : "s1"} x=${band * place + band * 0.2} width=${band * 0.6} y=${y(row.value)} height=${height - bottom - y(row.value)} rx="3" />`}
          <text class="value" x=${band * (place + 0.5)} y=${y(row.value ?? 0) - 6} text-anchor="middle">${row.value == null ? "–" : number(row.value)}</text>
          <text x=${band * (place + 0.5)} y=${height - 10} text-anchor="middle">${row.label}</text>
        </g>`)}
    </svg>`;
}
