// Times and days in the reader's language. Times are shown in the reader's time zone, days in the firm's calendar.

const instants = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const shortDays = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const months = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const shortMonths = new Intl.DateTimeFormat(undefined, { month: "short", year: "2-digit", timeZone: "UTC" });
const clocks = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const readerZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const instant = (text) => (text ? instants.format(new Date(text)) : "");
export const clock = (date) => clocks.format(date);
/** A day, given as YYYY-MM-DD. */
export const day = (text) => (text ? days.format(new Date(`${text}T00:00:00Z`)) : "");
export const shortDay = (text) => shortDays.format(new Date(`${text}T00:00:00Z`));
/** A month, given as YYYY-MM. */
export const month = (text) => months.format(new Date(`${text}-01T00:00:00Z`));
export const shortMonth = (text) => shortMonths.format(new Date(`${text}-01T00:00:00Z`));

/** The day of an instant in a time zone, as YYYY-MM-DD. */
export function dayIn(zone, text) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(new Date(text));
}

/** How long ago, in the largest fitting unit. */
export function ago(text, now = Date.now()) {
  const seconds = (new Date(text).getTime() - now) / 1000;
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const [unit, size] = units.find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
  return unit === "second" ? "just now" : relative.format(Math.trunc(seconds / size), unit);
}

export function monthBefore(text, count = 1) {
  const date = new Date(`${text}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() - count);
  return date.toISOString().slice(0, 7);
}
