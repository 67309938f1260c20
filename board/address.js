// The address contains the view, the filters and the client, so they can be bookmarked, shared and reached with Back. It
// never contains the token.

/** The views by name. `isLive`: loaded again after every change of a client. */
export const VIEWS = {
  board: { label: "Board" },
  queue: { label: "My queue", isLive: true },
  report: { label: "Close report" },
  people: { label: "People", isLive: true },
  activity: { label: "Activity", isLive: true },
  firm: { label: "Firm" },
};

export function readAddress() {
  const query = new URLSearchParams(location.search);
  const filters = {};
  const stages = (query.get("stage") ?? "").split(",").filter(Boolean);
  if (stages.length) filters.stage = stages;
  for (const name of ["flag", "attention", "service_tier", "search", "sort"]) {
    if (query.get(name)) filters[name] = query.get(name);
  }
  // owner= without a value: clients without an owner.
  if (query.has("owner")) filters.owner = query.get("owner");
  const client = Number(query.get("client"));
  const of = Number(query.get("of"));
  const month = query.get("month");
  const day = query.get("day");
  return {
    view: Object.hasOwn(VIEWS, query.get("view")) ? query.get("view") : "board",
    filters,
    client: Number.isSafeInteger(client) && client > 0 ? client : null,
    by: query.get("by") || null,
    of: Number.isSafeInteger(of) && of > 0 ? of : null,
    day: /^\d{4}-\d{2}-\d{2}$/.test(day ?? "") ? day : null,
    month: /^\d{4}-(0[1-9]|1[0-2])$/.test(month ?? "") ? month : null,
  };
}

export function writeAddress({ view, filters, client, month, by, of, day }, { replace = false } = {}) {
  const query = new URLSearchParams();
  if (view !== "board") query.set("view", view);
  for (const [name, value] of Object.entries(filters)) query.set(name, Array.isArray(value) ? value.join(",") : value);
  if (client) query.set("client", client);
  if (month && view === "report") query.set("month", month);
  if (view === "activity") {
    for (const [name, value] of Object.entries({ by, of, day })) if (value) query.set(name, value);
  }
  const address = query.size ? `${location.pathname}?${query}` : location.pathname;
  if (address !== location.pathname + location.search) history[replace ? "replaceState" : "pushState"](null, "", address);
}
