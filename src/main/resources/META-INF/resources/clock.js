// @ts-check
/**
 * The clock page: shows the time that `GET /clock` sends, and the state of the connection. It imports nothing: during a
 * rolling upgrade a module might come from a pod of another version.
 */

const now = byId("now");
const date = byId("date");
const status = byId("status");
const longDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });

/** The server ticks every second. A connection that takes longer than this to open, or to tick again, is dead. */
const SILENCE_MS = 10_000;

/** How long the browser may take to connect again: it first makes the pause that the server asked for. */
const REOPEN_MS = 60_000;

/** @type {number | undefined} */
let timer;

function connect() {
  const source = new EventSource("/clock");
  const replace = () => {
    source.close();
    setStatus("reconnecting", "Reconnecting…");
    connect();
  };
  // There is one timer: each event begins the wait for the next one.
  const wait = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(replace, ms);
  };
  wait(SILENCE_MS);
  source.onmessage = (e) => {
    wait(SILENCE_MS);
    show(e.data);
    setStatus("live", "Live");
  };
  source.onerror = () => {
    setStatus("reconnecting", "Reconnecting…");
    // EventSource gives up after an answer other than 200, which a proxy may give during a rollout.
    wait(source.readyState === EventSource.CLOSED ? 3000 + Math.random() * 2000 : REOPEN_MS);
  };
}

/** @param {string} timestamp RFC 3339 in UTC, such as 2026-11-22T08:00:00Z */
function show(timestamp) {
  now.textContent = timestamp.slice(11, 19);
  date.textContent = `${longDate.format(new Date(timestamp))}, UTC`;
}

/**
 * @param {"live" | "reconnecting"} state
 * @param {string} text
 */
function setStatus(state, text) {
  status.dataset.state = state;
  // Setting equal text again would make a screen reader repeat it.
  if (status.textContent !== text) status.textContent = text;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element with the id ${id}`);
  return found;
}

connect();

// Makes a module of this file for the type checker.
export {};
