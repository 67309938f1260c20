// Loads the page. A module that couldn't be loaded, for example during an outage, is loaded again.

const WAIT_MS = 2_000;

/** Imports a module; after a failure, again once the server answers. */
export async function load(address) {
  for (let isSecond = false; ; isSecond = true) {
    try {
      return await import(address);
    } catch {
      await serverAnswers(address);
      // Some browsers keep a failed load for as long as the page is open.
      if (isSecond) location.reload();
    }
  }
}

async function serverAnswers(address) {
  for (;;) {
    await new Promise((go) => setTimeout(go, WAIT_MS));
    const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
    if (answer?.ok) return;
  }
}

const late = setTimeout(() => {
  document.getElementById("page").textContent = "The page can't be loaded yet. Trying again…";
}, 2 * WAIT_MS);
load("/board/app.js").then(() => clearTimeout(late));
