// The token of this browser: in the tab until it is closed, or on the computer until the user signs out.

const KEY = "atlas-token";
const LENGTH = 53;

export function storedToken() {
  const ofTab = sessionStorage.getItem(KEY);
  return ofTab ? { token: ofTab, onComputer: false } : { token: localStorage.getItem(KEY), onComputer: true };
}

/** The invite in the address, which is removed from it: it works once. */
export function takeInvite() {
  const invite = new URLSearchParams(location.hash.slice(1)).get("invite");
  if (invite) history.replaceState(null, "", location.pathname + location.search);
  return invite;
}

/** The link that signs a person in once. The part after # is sent to no server. */
export const inviteLink = (invite) => `${location.origin}/board/#invite=${invite}`;

export const storeToken = (token, onComputer) => (onComputer ? localStorage : sessionStorage).setItem(KEY, token);

/** Other tabs can have another actor's token. */
export function forgetToken(token) {
  for (const place of [sessionStorage, localStorage]) {
    if (place.getItem(KEY) === token) place.removeItem(KEY);
  }
}

/** Calls back when another tab stores a token on the computer (`before` null), or removes it (`now` null). */
export function onStoredElsewhere(callback) {
  addEventListener("storage", (event) => {
    if (event.key === KEY) callback(event.oldValue, event.newValue);
  });
}

/** The token without what copying adds: line breaks, invisible characters, quotes, the name of the variable. */
export function cleanToken(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim().replace(/^(ATLAS_TOKEN=|Bearer )/, "").replace(/^["'`“”„‘’«»]+|["'`“”„‘’«»]+$/g, "");
}

/** Why this can't be a token, as a refusal; null if it can be one. */
export function tokenProblem(token) {
  if (!/^[!-~]+$/.test(token)) {
    return { message: "this isn't a token: a token has no spaces and no letters with accents", hint: "copy the token again" };
  }
  if (token.startsWith("atl_") && token.length !== LENGTH) {
    return { message: `this isn't a whole token: it has ${token.length} characters, and a token has ${LENGTH}`, hint: "copy all of the token" };
  }
  return null;
}
