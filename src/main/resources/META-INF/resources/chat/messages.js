// @ts-check
/** The messages that the page shows, oldest first, and which of them were written in this tab. */

import { parseObject } from "./json.js";
import { recall, remember } from "./storage.js";

const KEEP_MESSAGES = 500;
const GROUP_WITHIN_MS = 5 * 60_000;
const OWN_IDS = "parley.own";

/**
 * A message as the server sends it.
 *
 * @typedef {object} Message
 * @property {string} text
 * @property {string} [from]
 * @property {boolean} [verified] whether a token proved who `from` is
 * @property {string} [event]
 * @property {string} [at] RFC 3339
 */

/**
 * A message in the list.
 *
 * @typedef {object} Entry
 * @property {string} id empty if the message has none
 * @property {string} from empty if the message has none
 * @property {boolean} verified whether a token proved who `from` is
 * @property {string} text
 * @property {string} event empty if the message has no type
 * @property {Date} at
 * @property {boolean} own whether it was written in this tab
 * @property {boolean} afterGap whether messages before it are lost
 * @property {boolean} undecided whether it may be the message that this tab is sending, whose receipt will tell
 */

/**
 * @typedef {object} ListListener
 * @property {(entry: Entry) => void} onAdded the entry is the newest one
 * @property {(entry: Entry) => void} onRemoved the entry was the oldest one
 * @property {(entry: Entry) => void} onChanged the entry's author line may look different now
 * @property {(entry: Entry) => void} onTakenBack the entry was the newest one
 * @property {() => void} onGap messages are lost after the newest one of the list, or before all that follow if it is empty
 */

/**
 * Reads a message from the data of an event. Data in another form is taken as the text.
 *
 * @param {string} data
 * @returns {Message}
 */
export function messageFrom(data) {
  const message = parseObject(data);
  if (typeof message.text !== "string") return { text: data };
  return { text: message.text, from: string(message.from), verified: message.verified === true, event: string(message.event), at: string(message.at) };
}

/** @param {unknown} value */
function string(value) {
  return typeof value === "string" ? value : undefined;
}

export class MessageList {
  /** @type {Entry[]} */
  #entries = [];

  /** The ids in the receipts of what was sent from this tab. */
  #ownIds = new Set(parseIds(recall("sessionStorage", OWN_IDS)));

  #afterGap = false;

  #listener;

  /** @param {ListListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /**
   * Adds the newest message, and drops the oldest one when there are too many.
   *
   * @param {string} id
   * @param {Message} message
   * @param {boolean} [mayBeOwn] whether this tab is sending a message with this name and text
   * @returns {Entry}
   */
  add(id, { text, from = "", verified = false, event = "", at = "" }, mayBeOwn = false) {
    const time = Number.isNaN(Date.parse(at)) ? new Date() : new Date(at);
    const own = this.#ownIds.has(id);
    const undecided = mayBeOwn && !own && id !== "";
    const entry = { id, from, verified, text, event, at: time, own, afterGap: this.#afterGap, undecided };
    this.#afterGap = false;
    this.#entries.push(entry);
    this.#listener.onAdded(entry);
    if (this.#entries.length > KEEP_MESSAGES) this.#removeOldest();
    return entry;
  }

  /**
   * Notes that messages are lost, and takes back what is no longer valid or comes again.
   *
   * @param {((id: string) => boolean) | undefined} follows tells of a message whether it is among those that follow; undefined
   *   if none is valid
   */
  onGap(follows) {
    const kept = follows ? this.#entries.findIndex(({ id }) => follows(id)) : 0;
    if (kept >= 0) for (const entry of this.#entries.splice(kept).reverse()) this.#listener.onTakenBack(entry);
    this.#afterGap = true;
    this.#listener.onGap();
  }

  /** Marks what another page of this tab has sent while this one was in the browser's cache. */
  recallOwn() {
    for (const id of parseIds(recall("sessionStorage", OWN_IDS))) this.#showAsOwn(id);
  }

  /**
   * Marks the message with the id of a receipt as written in this tab, now or when it arrives. Names and texts do not
   * prove that: another person may use the same ones.
   *
   * @param {string} id
   */
  markOwn(id) {
    // What is stored may be newer than this page, which can come back out of the browser's cache.
    const stored = new Set(parseIds(recall("sessionStorage", OWN_IDS))).add(id);
    remember("sessionStorage", OWN_IDS, JSON.stringify([...stored].slice(-KEEP_MESSAGES)));
    this.#showAsOwn(id);
  }

  /** @param {string} id of a message that has arrived or will arrive */
  #showAsOwn(id) {
    this.#ownIds.add(id);
    const index = this.#entries.findIndex((entry) => entry.id === id);
    if (index < 0 || this.#entries[index].own) return;
    this.#entries[index].own = true;
    this.#changed(index);
  }

  /** Notes that it is known what became of the message that was being sent: what is not own is another person's. */
  decide() {
    this.#entries.forEach((entry, index) => {
      if (!entry.undecided) return;
      entry.undecided = false;
      this.#changed(index);
    });
  }

  /** @param {number} index of an entry whose author line, and the next one's, may look different now */
  #changed(index) {
    for (const entry of this.#entries.slice(index, index + 2)) this.#listener.onChanged(entry);
  }

  /**
   * Tells whether a message closely follows one by the same author, so that its author need not be shown again.
   *
   * @param {Entry} entry
   */
  continuesPrevious(entry) {
    const before = this.#entries[this.#entries.lastIndexOf(entry) - 1];
    if (!before || entry.event || entry.afterGap) return false;
    if (entry.undecided || before.undecided) return false;
    const sameAuthor = entry.from === before.from && entry.verified === before.verified && entry.own === before.own;
    // Two messages without a name may come from two people, unless both were written in this tab.
    return sameAuthor && (entry.from !== "" || entry.own) && entry.at.getTime() - before.at.getTime() < GROUP_WITHIN_MS;
  }

  #removeOldest() {
    const [oldest, next] = this.#entries;
    this.#entries.shift();
    this.#listener.onRemoved(oldest);
    this.#listener.onChanged(next);
  }
}

/**
 * @param {string | undefined} json
 * @returns {string[]}
 */
function parseIds(json) {
  const parsed = parseObject(json);
  return Array.isArray(parsed) ? parsed.filter((id) => typeof id === "string") : [];
}
