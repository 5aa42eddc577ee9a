// @ts-check
/** What the reader sees: the status of the connection, and the list of messages with its scrolling. */

import { byId, make } from "./elements.js";

const AT_BOTTOM_PX = 48;
const HISTORY_SHOWN_MS = 1_000;
const HUES = 6;

/** @typedef {import("./messages.js").Entry} Entry */

const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/* Status */

const status = byId("status", HTMLElement);

/**
 * Shows the state of the connection.
 *
 * @param {import("./stream.js").State} state
 * @param {string} text
 */
export function showStatus(state, text) {
  status.dataset.state = state;
  // Setting equal text again would make a screen reader repeat it.
  if (status.textContent !== text) status.textContent = text;
  const retry = byId("retry", HTMLButtonElement);
  // A focused button that is hidden loses the focus to the page, and the next Tab begins at the top.
  if (state !== "closed" && document.activeElement === retry) byId("messages", HTMLElement).focus({ preventScroll: true });
  retry.hidden = state !== "closed";
}

/* Messages */

/** The list of messages on the page. */
export class ListView {
  #log = byId("messages", HTMLElement);
  #list = /** @type {HTMLOListElement} */ (this.#log.querySelector("ol"));
  #newer = byId("newer", HTMLButtonElement);

  /** @type {Map<Entry, HTMLElement>} */
  #items = new Map();

  /** Whether the view moves down to each new message. */
  #following = true;

  #scrollPlanned = false;
  #lastTop = 0;
  #newerCount = 0;

  /** The day for which the times are written: those of other days have their date. */
  #today = new Date().toDateString();

  /** @type {number | undefined} */
  #announceTimer;

  /** @param {(entry: Entry) => boolean} continuesPrevious see MessageList */
  constructor(continuesPrevious) {
    this.continuesPrevious = continuesPrevious;
    this.#newer.addEventListener("click", () => this.followNewest(wantsLessMotion() ? "instant" : "smooth"));
    this.#log.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#following && this.#scrollSoon()).observe(this.#log);
    document.addEventListener("visibilitychange", () => this.#writeTimesOfToday());
  }

  /** @param {Entry} entry the newest message */
  append(entry) {
    this.#writeTimesOfToday();
    const item = render(entry);
    this.#items.set(entry, item);
    this.#list.append(item);
    this.update(entry);
    if (this.#following) this.#scrollSoon();
    else this.#countNewer(1);
  }

  /** Writes the times anew if a day has ended since: without their date, yesterday's messages would look like today's. */
  #writeTimesOfToday() {
    const today = new Date().toDateString();
    if (today === this.#today) return;
    this.#today = today;
    for (const [{ at }, item] of this.#items) item.querySelector("time")?.replaceChildren(timeText(at));
  }

  /** @param {Entry} entry a message whose author line may look different now */
  update(entry) {
    const item = this.#items.get(entry);
    item?.classList.toggle("own", entry.own);
    item?.classList.toggle("undecided", entry.undecided);
    item?.classList.toggle("continued", this.continuesPrevious(entry));
  }

  /** @param {Entry} entry the oldest message; the divider above it goes too */
  remove(entry) {
    const item = this.#items.get(entry);
    this.#items.delete(entry);
    while (item?.previousElementSibling) item.previousElementSibling.remove();
    item?.remove();
  }

  /** @param {Entry} entry the newest message; the divider below it goes too */
  takeBack(entry) {
    const item = this.#items.get(entry);
    this.#items.delete(entry);
    while (item?.nextElementSibling) item.nextElementSibling.remove();
    item?.remove();
    if (this.#newerCount > 0) this.#countNewer(-1);
  }

  /** Shows that messages after the newest one are lost. */
  showGap() {
    // What follows is history again.
    clearTimeout(this.#announceTimer);
    this.#announceTimer = undefined;
    this.#log.setAttribute("aria-live", "off");
    const last = this.#list.lastElementChild;
    const isShown = last !== null && last.classList.contains("divider");
    if (!isShown) this.#list.append(make("li", "divider", "Some earlier messages are no longer available"));
    if (this.#items.size === 0) this.followNewest();
    else if (this.#following) this.#scrollSoon();
  }

  /** Makes a screen reader read what is said from now on. Before that, the history is shown silently. */
  announceNewMessages() {
    // Each message calls this, and must not put off what is planned.
    if (!this.#log.hasAttribute("aria-live") || this.#announceTimer !== undefined) return;
    this.#announceTimer = setTimeout(() => {
      this.#announceTimer = undefined;
      this.#log.removeAttribute("aria-live");
    }, HISTORY_SHOWN_MS);
  }

  /**
   * Moves down to the newest message, and follows from now on.
   *
   * @param {ScrollBehavior} [behavior]
   */
  followNewest(behavior = "instant") {
    this.#setFollowing(true);
    // When the list grows or is emptied, the browser may move the view up. That is not the reader's doing.
    this.#lastTop = 0;
    this.#log.scrollTo({ top: this.#log.scrollHeight, behavior });
  }

  /** Scrolls once a frame at most: measuring after each message of a burst would lay the page out each time. */
  #scrollSoon() {
    if (this.#scrollPlanned) return;
    this.#scrollPlanned = true;
    requestAnimationFrame(() => {
      this.#scrollPlanned = false;
      if (this.#following) this.#log.scrollTop = this.#log.scrollHeight;
    });
  }

  /** Only moving up means that the reader has left the bottom; content that grows moves nothing. */
  #onScroll() {
    const top = this.#log.scrollTop;
    const movedUp = top < this.#lastTop;
    this.#lastTop = top;
    if (this.#log.scrollHeight - this.#log.clientHeight - top <= AT_BOTTOM_PX) this.#setFollowing(true);
    else if (movedUp) this.#setFollowing(false);
  }

  /** @param {boolean} yes */
  #setFollowing(yes) {
    this.#following = yes;
    this.#log.classList.toggle("following", yes);
    if (yes) this.#countNewer(-this.#newerCount);
  }

  /** @param {number} change */
  #countNewer(change) {
    this.#newerCount += change;
    this.#newer.textContent = this.#newerCount === 1 ? "1 new message" : `${this.#newerCount} new messages`;
    const isOver = this.#newerCount === 0;
    // A hidden button would leave the keyboard at the top of the page.
    if (isOver && document.activeElement === this.#newer) this.#log.focus({ preventScroll: true });
    this.#newer.hidden = isOver;
  }
}

/** @param {Entry} entry */
function render({ id, from, verified, text, event, at }) {
  const item = make("li", "message");
  item.dataset.id = id;
  if (from) item.dataset.hue = String(hueOf(from));
  const meta = make("div", "meta");
  meta.append(make("bdi", "from", withoutBidiControls(from).trim() || "Anonymous"));
  if (verified) meta.append(make("span", "verified", "verified"));
  meta.append(make("span", "you", "you"), timeLabel(at));
  if (event) meta.append(make("span", "event", withoutBidiControls(event)));
  const body = make("div", "text", text);
  body.dir = "auto";
  item.append(meta, body);
  return item;
}

/**
 * Replaces the characters that change the direction of the text around them (embeddings, overrides, isolates) by
 * visible ones. In a name they serve to make it look like another one.
 *
 * @param {string} text
 */
function withoutBidiControls(text) {
  return text.replace(/[\u202A-\u202E\u2066-\u2069]/g, "\uFFFD");
}

/** @param {Date} at */
function timeLabel(at) {
  const label = make("time", "", timeText(at));
  label.dateTime = at.toISOString();
  label.title = fullTime.format(at);
  return label;
}

/** @param {Date} at */
function timeText(at) {
  const today = at.toDateString() === new Date().toDateString();
  return (today ? clockTime : dayAndTime).format(at);
}

/**
 * Computes a colour for a name (FNV-1a), always the same one, so that authors can be told apart at a glance.
 *
 * @param {string} name
 */
function hueOf(name) {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ Number(char.codePointAt(0)), 0x01000193);
  return (hash >>> 8) % HUES;
}

function wantsLessMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
