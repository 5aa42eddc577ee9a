// @ts-check
/** Reads what was said in the room before the page was opened. */

const WANTED = 50;
const PAGE_SIZE = 100;
const MAX_PAGES = 10;
const TIMEOUT_MS = 5_000;

/** @typedef {import("./messages.js").Message & {id: string}} StoredMessage */

/**
 * A page of `GET /rooms/{room}/messages`.
 *
 * @typedef {object} HistoryPage
 * @property {StoredMessage[]} messages oldest first
 * @property {string} [before] the id to ask for the page before this one; absent at the beginning of the log
 * @property {string} after the id at which a stream continues after this page
 */

/**
 * Reads the newest 50 messages that the page can show, or fewer if the newest 1,000 of the log have less than that, or if
 * an earlier page cannot be read in time: on a slow connection a person then sees the newest messages, and not none.
 *
 * The page shows messages without an `event` type: an EventSource gives it no others. Asking the stream for
 * `history=50` would count typed messages too, and in a room with many of them show little or nothing.
 *
 * @param {string} room
 * @returns {Promise<{messages: StoredMessage[], after: string}>} oldest first, and the id at which the stream continues
 * @throws if the newest page cannot be read: the server cannot be reached, or refuses, or takes too long
 */
export async function readHistory(room) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const newest = await readPage(room, undefined, signal);
  let messages = newest.messages.filter(isShown);
  let page = newest;
  // A page may be empty and not the last one: the server leaves out messages whose time is over.
  for (let pages = 1; messages.length < WANTED && page.before && pages < MAX_PAGES; pages++) {
    try {
      page = await readPage(room, page.before, signal);
    } catch {
      break;
    }
    messages = [...page.messages.filter(isShown), ...messages];
  }
  return { messages: messages.slice(-WANTED), after: newest.after };
}

/**
 * @param {string} room
 * @param {string | undefined} before
 * @param {AbortSignal} signal
 * @returns {Promise<HistoryPage>}
 */
async function readPage(room, before, signal) {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (before) query.set("before", before);
  const response = await fetch(`/rooms/${encodeURIComponent(room)}/messages?${query}`, { signal });
  if (!response.ok) throw new Error(`the history of ${room} was answered with ${response.status}`);
  return response.json();
}

/** @param {StoredMessage} message */
function isShown({ event }) {
  // A browser dispatches an event of the type "message" as one without a type.
  return event === undefined || event === "message";
}
