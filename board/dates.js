// Times and days in the reader's language, in the firm's time zone, by the server's clock.

const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const shortDays = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const months = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const shortMonths = new Intl.DateTimeFormat(undefined, { month: "short", year: "2-digit", timeZone: "UTC" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

let firm;
// How far the server's clock is ahead of this computer's, in milliseconds.
let ahead = 0;

/** Takes the firm's time zone and the server's time from a new summary. */
export function followFirm({ time_zone: zone, as_of: now }) {
  ahead = new Date(now).getTime() - Date.now();
  if (firm?.zone !== zone) firm = formatsIn(zone);
}

function formatsIn(zone) {
  try {
    return {
      zone,
      instants: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: zone }),
      clocks: new Intl.DateTimeFormat(undefined, { timeStyle: "short", timeZone: zone }),
      days: new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone }),
      // Sweden writes 2026-05-29 06:00:00, which spreadsheets read as a time.
      stamps: new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone }),
    };
  } catch {
    // PostgreSQL has zones that browsers don't know.
    return formatsIn("UTC");
  }
}

export const serverNow = () => Date.now() + ahead;
export const instant = (text) => (text ? firm.instants.format(new Date(text)) : "");
export const clock = (time) => firm.clocks.format(time);
/** An instant for a spreadsheet: YYYY-MM-DD HH:MM:SS. */
export const stamp = (text) => (text ? firm.stamps.format(new Date(text)) : "");
/** The day of an instant (text or milliseconds), as YYYY-MM-DD. */
export const dayOf = (time) => (time ? firm.days.format(new Date(time)) : null);
/** A day, given as YYYY-MM-DD. */
export const day = (text) => (text ? days.format(new Date(`${text}T00:00:00Z`)) : "");
export const shortDay = (text) => shortDays.format(new Date(`${text}T00:00:00Z`));
/** A month, given as YYYY-MM. */
export const month = (text) => months.format(new Date(`${text}-01T00:00:00Z`));
export const shortMonth = (text) => shortMonths.format(new Date(`${text}-01T00:00:00Z`));

/** How long ago, or in how long, in the largest fitting unit. */
export function ago(text) {
  const seconds = (new Date(text).getTime() - serverNow()) / 1000;
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const [unit, size] = units.find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
  return unit === "second" ? "just now" : relative.format(Math.trunc(seconds / size), unit);
}

export function monthBefore(text, count = 1) {
  const date = new Date(`${text}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() - count);
  return date.toISOString().slice(0, 7);
}
