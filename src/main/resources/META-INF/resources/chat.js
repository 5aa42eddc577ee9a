/** The chat page: a reader of GET /events and a writer to POST /send. */

const HISTORY = 50;
const KEEP_MESSAGES = 500;
const KEEP_IDS = 2000;
const SETTLE_MS = 250;
const SEND_TIMEOUT_MS = 15_000;
const LONGEST_BACKOFF_MS = 30_000;
const STALE_AFTER_MS = 120_000;
const GROUP_WITHIN_MS = 5 * 60_000;
const AT_BOTTOM_PX = 48;
const HUES = 6;

const STATES = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  closed: "Disconnected",
};

const $ = (id) => document.getElementById(id);
const log = $("messages");
const list = log.querySelector("ol");
const room = new URLSearchParams(location.search).get("room");

function start() {
  if (room) {
    $("room").textContent = room;
    document.title = `${room} · Parley`;
  }
  $("name").value = recall(localStore, "parley.name") ?? "";
  listenToReader();
  listenToPage();
  connect();
}

function listenToReader() {
  $("name").addEventListener("input", () => remember(localStore, "parley.name", $("name").value.trim()));
  $("text").addEventListener("keydown", sendOnEnter);
  $("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    submit();
  });
  $("newer").addEventListener("click", () => {
    log.focus({ preventScroll: true });
    followNewest(calmly() ? "instant" : "smooth");
  });
  $("retry").addEventListener("click", () => {
    setStatus("reconnecting");
    connect();
  });
  log.addEventListener("scroll", noticeScroll, { passive: true });
  new ResizeObserver(() => following && scrollSoon()).observe(log);
}

/* ---------- The connection ---------- */

let source;
let attempts = 0;
let liveTimer;
let retryTimer;
let hiddenSince = 0;

/** (Re)opens the stream where the reader left off. The one place that makes an EventSource. */
function connect() {
  disconnect();
  source = new EventSource(eventsUrl());
  // A stream may open only to say goodbye (over a limit, draining): calling that "live" would flicker.
  source.onopen = () => (liveTimer = setTimeout(live, SETTLE_MS));
  source.onerror = lost;
  source.onmessage = (e) => {
    live();
    receive(e);
  };
  onControl("resumed", live);
  onControl("gap", () => {
    live();
    startOver();
  });
  onControl("goodbye", ({ reason }) => {
    clearTimeout(liveTimer);
    setStatus("reconnecting", /drain|shutdown|restart/.test(reason) ? "Server restarting, reconnecting…" : undefined);
  });
}

function disconnect() {
  clearTimeout(liveTimer);
  clearTimeout(retryTimer);
  source?.close();
}

function eventsUrl() {
  const query = new URLSearchParams({ format: "json", history: HISTORY });
  if (room) query.set("room", room);
  if (last.id) query.set("lastEventId", last.id);
  return `/events?${query}`;
}

/** Hears a control event; a published message that borrowed the event's name is still a message. */
function onControl(name, act) {
  source.addEventListener(name, (e) => {
    const data = parse(e.data);
    if (typeof data.text === "string") receive(e);
    else act(data);
  });
}

function live() {
  clearTimeout(liveTimer);
  attempts = 0;
  setStatus("live");
  // History is not news: a screen reader should hear only what is said from now on.
  if (log.hasAttribute("aria-live")) setTimeout(() => log.removeAttribute("aria-live"), 1000);
}

/** EventSource comes back by itself after a lost connection, but never after an answer other than 200. */
function lost() {
  clearTimeout(liveTimer);
  if ($("status").dataset.state !== "reconnecting") setStatus("reconnecting");
  if (source.readyState === EventSource.CLOSED) recover(source);
}

async function recover(dead) {
  const refusal = await askWhyRefused();
  if (source !== dead) return;
  if (refusal) setStatus("closed", `${STATES.closed}: ${refusal}`);
  else retryTimer = setTimeout(connect, backoff(attempts++));
}

/**
 * EventSource hides the status, so ask once more: 204 and 4xx mean that coming back is no use, anything else
 * (a proxy's 502 during a rollout, say) that it is.
 *
 * @returns {Promise<string|undefined>} the reason not to come back
 */
async function askWhyRefused() {
  const abort = new AbortController();
  const timeout = setTimeout(() => abort.abort(), SEND_TIMEOUT_MS);
  try {
    const response = await fetch(eventsUrl(), { signal: abort.signal, headers: { Accept: "text/event-stream, application/json" } });
    if (response.status === 204) return "the server ended this stream";
    const final = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
    return final ? await reasonFrom(response) : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timeout);
    abort.abort();
  }
}

/** Doubles up to a ceiling; the jitter keeps a crowd from coming back in step. */
function backoff(attempt) {
  return Math.min(LONGEST_BACKOFF_MS, 1000 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

function listenToPage() {
  addEventListener("online", reconnectUnlessClosed);
  // An open stream keeps a page out of the back/forward cache.
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (e) => e.persisted && reconnectUnlessClosed());
  document.addEventListener("visibilitychange", noticeVisibility);
}

/** After a long sleep a dead connection can look open for minutes; resuming is cheap, so do not wait for it. */
function noticeVisibility() {
  if (document.hidden) {
    hiddenSince = Date.now();
    return;
  }
  const asleep = Date.now() - hiddenSince > STALE_AFTER_MS;
  if (asleep || $("status").dataset.state === "reconnecting") reconnectUnlessClosed();
}

function reconnectUnlessClosed() {
  if ($("status").dataset.state !== "closed") connect();
}

function setStatus(state, text = STATES[state]) {
  const status = $("status");
  status.dataset.state = state;
  // Setting equal text again would make a screen reader repeat it.
  if (status.textContent !== text) status.textContent = text;
  $("retry").hidden = state !== "closed";
}

/* ---------- Messages ---------- */

const seen = new Set();
let last = { id: "", data: "" };

function receive(e) {
  if (isRepeat(e.lastEventId, e.data)) return;
  show(e.lastEventId, messageFrom(e.data));
}

/**
 * An event without an id inherits the id before it. So the newest id again, with other data, is a message that
 * has no id of its own; only the same data, or an older id, is a repeat.
 */
function isRepeat(id, data) {
  if (!id) return false;
  const known = seen.has(id);
  if (known && id === last.id) return data === last.data;
  last = { id, data };
  if (!known) rememberId(id);
  return known;
}

function rememberId(id) {
  seen.add(id);
  if (seen.size > KEEP_IDS) seen.delete(seen.values().next().value);
}

function messageFrom(data) {
  const message = parse(data);
  return typeof message.text === "string" ? message : { text: data };
}

function parse(json) {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

function show(id, message) {
  const item = render(message);
  item.dataset.id = id;
  item.classList.toggle("own", own.has(id) || isOutgoing(message));
  append(item);
  if (!following) countNewer(1);
}

/** A gap: what was missed is gone, and the server now replays all that it still has. */
function startOver() {
  list.replaceChildren();
  seen.clear();
  last = { id: "", data: "" };
  append(element("li", "divider", "Some earlier messages are no longer available"));
  followNewest();
}

function append(item) {
  list.append(item);
  group(item);
  while (list.childElementCount > KEEP_MESSAGES) list.firstElementChild.remove();
  group(list.firstElementChild);
  if (following) scrollSoon();
}

/** Builds a message; what people wrote only ever becomes text, never markup. */
function render({ from, text, event, at }) {
  const item = element("li", "message");
  const author = element("span", "from", from || "Anonymous");
  author.dir = "auto";
  const meta = element("div", "meta");
  meta.append(author, element("span", "you", "you"), timeLabel(at));
  if (event) meta.append(element("span", "event", event));
  const body = element("div", "text", text);
  body.dir = "auto";
  item.append(meta, body);
  item.dataset.from = from ?? "";
  if (from) item.dataset.hue = hueOf(from);
  return item;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function timeLabel(at) {
  const stamp = Number.isNaN(Date.parse(at)) ? new Date() : new Date(at);
  const today = stamp.toDateString() === new Date().toDateString();
  const label = element("time", "", (today ? clockTime : dayAndTime).format(stamp));
  label.dateTime = stamp.toISOString();
  label.title = fullTime.format(stamp);
  return label;
}

/** A stable colour for a name (FNV-1a), so that voices can be told apart at a glance. */
function hueOf(name) {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193);
  return (hash >>> 8) % HUES;
}

/** Folds the author line of a message that follows closely on one by the same author. */
function group(item) {
  item.classList.toggle("continued", continues(item, item.previousElementSibling));
}

function continues(item, before) {
  if (!before?.matches(".message") || !item.matches(".message") || item.querySelector(".event")) return false;
  const isOwn = item.classList.contains("own");
  // Two anonymous messages in a row may come from two people, unless both are the reader's.
  const sameAuthor = item.dataset.from === before.dataset.from && isOwn === before.classList.contains("own");
  return sameAuthor && (item.dataset.from !== "" || isOwn) && sentAt(item) - sentAt(before) < GROUP_WITHIN_MS;
}

function sentAt(item) {
  return Date.parse(item.querySelector("time").dateTime);
}

/* ---------- Following the newest message ---------- */

let following = true;
let scrollPlanned = false;
let lastTop = 0;
let newer = 0;

/** Once a frame at most: measuring after each message of a burst would lay the page out each time. */
function scrollSoon() {
  if (scrollPlanned) return;
  scrollPlanned = true;
  requestAnimationFrame(() => {
    scrollPlanned = false;
    if (following) log.scrollTop = log.scrollHeight;
  });
}

function followNewest(behavior = "instant") {
  setFollowing(true);
  // A view that just grew, or was emptied, has been moved up by the browser: that was not the reader.
  lastTop = 0;
  log.scrollTo({ top: log.scrollHeight, behavior });
}

/** Only moving up means that the reader has left the bottom; content that grows moves nothing. */
function noticeScroll() {
  const top = log.scrollTop;
  const movedUp = top < lastTop;
  lastTop = top;
  if (log.scrollHeight - log.clientHeight - top <= AT_BOTTOM_PX) setFollowing(true);
  else if (movedUp) setFollowing(false);
}

function setFollowing(yes) {
  following = yes;
  log.classList.toggle("following", yes);
  if (yes) countNewer(-newer);
}

function countNewer(change) {
  newer += change;
  $("newer").textContent = newer === 1 ? "1 new message" : `${newer} new messages`;
  $("newer").hidden = newer === 0;
}

function calmly() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/* ---------- The composer ---------- */

let outbox = [];
let failed;

/** Enter also confirms a word in an input method; that Enter (229 in older engines) must not send. */
function sendOnEnter(e) {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
  e.preventDefault();
  submit();
}

function submit() {
  const text = $("text").value;
  if (!text.trim()) return;
  const from = $("name").value.trim();
  const again = failed?.text === text && failed.from === from;
  outbox.push(again ? failed : { text, from, key: newKey() });
  failed = undefined;
  $("text").value = "";
  $("error").textContent = "";
  followNewest();
  if (outbox.length === 1) sendAll();
}

/** One at a time, so that messages arrive in the order in which they were written. */
async function sendAll() {
  $("send").setAttribute("aria-busy", "true");
  while (outbox.length > 0) {
    const problem = await send(outbox[0]);
    if (problem) giveBack(problem);
    else outbox.shift();
  }
  $("send").removeAttribute("aria-busy");
}

/** @returns {Promise<string|undefined>} what went wrong, for the reader */
async function send({ text, from, key }) {
  try {
    const response = await fetch("/send", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key },
      body: JSON.stringify({ msg: text, room: room || undefined, from: from || undefined }),
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    });
    if (!response.ok) return `Not sent: ${await reasonFrom(response)}.${adviceFrom(response)}`;
    markOwn(response.headers.get("Event-Id"));
    return undefined;
  } catch {
    return "Not sent: the server cannot be reached. Your text is kept.";
  }
}

/** Puts everything unsent back into the composer, before whatever has been typed since. */
function giveBack(problem) {
  const box = $("text");
  failed = outbox.length === 1 && !box.value ? outbox[0] : undefined;
  box.value = [...outbox.map(({ text }) => text), box.value].filter(Boolean).join("\n");
  outbox = [];
  $("error").textContent = problem;
}

/** The server's own words, unless they are a proxy's HTML page. */
async function reasonFrom(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const body = await response.text();
  const problem = type.includes("json") ? parse(body) : {};
  const words = problem.detail || problem.title || (type.startsWith("text/plain") && body.trim().slice(0, 200));
  return String(words || `the server answered ${response.status}`).replace(/\.$/, "");
}

function adviceFrom(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  if (!(seconds > 0)) return " Your text is kept.";
  return ` Your text is kept; try again in ${seconds === 1 ? "1 second" : `${seconds} seconds`}.`;
}

/** Names one send across its retries. randomUUID exists only in secure contexts, which plain http is not. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* ---------- Which messages are the reader's ---------- */

const localStore = storage("localStorage");
const sessionStore = storage("sessionStorage");
const own = new Set(parseList(recall(sessionStore, "parley.own")));

/** Names are not proof: a message is the reader's own when this tab holds its receipt. */
function markOwn(id) {
  if (!id) return;
  own.add(id);
  remember(sessionStore, "parley.own", JSON.stringify([...own].slice(-KEEP_MESSAGES)));
  const item = list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (!item) return;
  item.classList.add("own");
  group(item);
  if (item.nextElementSibling) group(item.nextElementSibling);
}

/** The message often arrives just before its receipt; recognising it then saves a jump across the page. */
function isOutgoing({ text, from }) {
  return outbox.length > 0 && outbox[0].text === text && outbox[0].from === (from ?? "");
}

function parseList(json) {
  const parsed = parse(json);
  return Array.isArray(parsed) ? parsed : [];
}

/** A browser may forbid storage altogether, and then even touching it throws. */
function storage(kind) {
  try {
    return window[kind];
  } catch {
    return undefined;
  }
}

function recall(store, key) {
  try {
    return store?.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(store, key, value) {
  try {
    store?.setItem(key, value);
  } catch {
    // Full or forbidden: the page works without.
  }
}

start();
