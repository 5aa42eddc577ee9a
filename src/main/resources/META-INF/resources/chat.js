// @ts-check
/**
 * Loads the chat page, whose modules are in `chat/`.
 *
 * During a rolling upgrade pods of two versions answer behind one address, and each file of a page may come from another pod.
 * Then a module may be missing, or not fit the others. With static imports the page would do nothing, and say nothing. So this
 * file imports them dynamically: if that fails, it says so, and loads the page anew until all files fit.
 *
 * It has no static imports, and keeps its name, which is in the HTML of every version.
 */

/** How often this tab has loaded the page anew since it worked last. */
const RELOADS = "parley.reloads";

/** With the pauses, they take about a quarter of an hour. */
const MOST_RELOADS = 40;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
const PROBE_TIMEOUT_MS = 15_000;

const INCOMPLETE = "This page is not complete. It will be loaded again in a few seconds.";
const COPY_TEXT = "This page is not complete. Copy your text, then try again.";
const GIVEN_UP = "This page could not be loaded completely.";

try {
  await import("./chat/page.js");
  storeReloads(0);
} catch (e) {
  console.error("A script of this page is missing, or does not fit the others.", e);
  await heal();
}

/** Loads the page anew, after a pause and once its address is answered. */
async function heal() {
  enableSend(false);
  const retry = document.getElementById("retry");
  if (retry) retry.hidden = false;
  retry?.addEventListener("click", () => {
    storeReloads(0);
    reload();
  });

  show("reconnecting", INCOMPLETE);
  const reloads = countReloads();
  if (reloads < MOST_RELOADS) {
    do {
      await pause(reloads);
      show("reconnecting", hasText() ? COPY_TEXT : INCOMPLETE);
      // Not with a text in the form, which the browser would not keep. And if nothing answered, the browser's own error page,
      // which does not come back, would take the place of this one.
    } while (!(await isServed()) || hasText());
    // Without the count there would be no end.
    if (storeReloads(reloads + 1)) return reload();
  }
  show("closed", GIVEN_UP);
}

function reload() {
  // Firefox restores it as it is now, and the script of 0.1.0 does not enable it.
  enableSend(true);
  location.reload();
}

/** @param {boolean} enabled */
function enableSend(enabled) {
  const send = document.getElementById("send");
  if (send instanceof HTMLButtonElement) send.disabled = !enabled;
}

/**
 * @param {string} state as in `chat/stream.js`
 * @param {string} words
 */
function show(state, words) {
  const status = document.getElementById("status");
  // Setting equal text again would make a screen reader repeat it.
  if (!status || status.textContent === words) return;
  status.dataset.state = state;
  status.textContent = words;
}

/** Tells whether the person has typed a message. */
function hasText() {
  const text = document.getElementById("text");
  return text instanceof HTMLTextAreaElement && text.value !== "";
}

/** Tells whether the address of the page is answered with success. */
async function isServed() {
  try {
    return (await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok;
  } catch {
    return false;
  }
}

/**
 * Doubles up to a ceiling. Jitter keeps many pages from coming back at the same moment.
 *
 * @param {number} reloads
 */
function pause(reloads) {
  const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** reloads) * (0.5 + Math.random() / 2);
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @returns {number} as many as there may be, if the browser forbids storage */
function countReloads() {
  try {
    return Number(sessionStorage.getItem(RELOADS));
  } catch {
    return MOST_RELOADS;
  }
}

/**
 * @param {number} reloads
 * @returns {boolean} whether the browser allows storage
 */
function storeReloads(reloads) {
  try {
    if (reloads === 0) sessionStorage.removeItem(RELOADS);
    else sessionStorage.setItem(RELOADS, String(reloads));
    return true;
  } catch {
    return false;
  }
}

// Makes a module of this file for the type checker.
export {};
