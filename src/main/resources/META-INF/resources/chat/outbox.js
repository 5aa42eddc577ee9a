// @ts-check
/** Sending: one message at a time, each published once however often it has to be repeated. */

import { parseObject } from "./json.js";
import { reasonOf } from "./refusal.js";
import { recall, remember } from "./storage.js";

const TIMEOUT_MS = 15_000;
const REPEAT_AFTER_MS = [500, 1_500, 3_000];
const LONGEST_PAUSE_MS = 5_000;

/** Where what is being sent, or was given back, is stored, by room. */
const STORED = "parley.sending:";

/** For how long a repeat is safe: servers know a key for five minutes, minus the longest duration of an attempt. */
const REPEATABLE_MS = 5 * 60_000 - TIMEOUT_MS;

/** The reason after a success without a receipt, such as the page of a network that wants a login first. */
const NOT_PARLEY = "something between here and the server answered, perhaps a page to log in";

/** The reason when the server may no longer know the key: a repeat could publish the text a second time. */
const TOO_LATE = "the page was closed or asleep meanwhile. Your text is kept.";

/**
 * A message to be sent.
 *
 * @typedef {object} Outgoing
 * @property {string} text
 * @property {string} from empty for none
 * @property {string} key the server publishes one message per key, and answers a repeat with the first receipt
 * @property {number} [repeatUntil] the time from which on the server may no longer know the key; missing before the
 *   first attempt
 * @property {boolean} unconfirmed whether it may have been published without the page knowing
 */

/**
 * What is stored, since the page may be loaded anew or closed at any time.
 *
 * @typedef {object} Stored
 * @property {Outgoing[]} messages oldest first
 * @property {string} [problem] why they were given back; missing while they are being sent
 */

/**
 * What became of an attempt: `sent` has the id in the receipt, `refused` means that nothing was published, and after
 * `unconfirmed` it may have been published or not.
 *
 * @typedef {{kind: "sent", id: string}
 *   | {kind: "refused", problem: string}
 *   | {kind: "unconfirmed", problem: string, pauseMs: number}} Outcome
 *
 * @typedef {import("./messages.js").Message} Message
 */

/**
 * @typedef {object} OutboxListener
 * @property {(busy: boolean) => void} onBusy
 * @property {(id: string) => void} onReceipt the id of a message that was sent
 * @property {() => void} onDecided it is known what became of a message, after the receipt if there is one
 * @property {(texts: string[], problem: string) => void} onGivenBack these were not sent, oldest first
 * @property {(texts: string[], problem: string) => void} onRestored these were given back before the page was loaded anew
 * @property {(text: string) => void} onSentAfterAll the first text that was given back was published nevertheless, or
 *   another page of this tab has dropped it
 */

export class Outbox {
  #room;
  #listener;

  /** @type {Outgoing[]} the first one is being sent */
  #waiting = [];

  /** @type {Outgoing | undefined} the first message of those that were given back last */
  #givenBack;

  /** @type {Outgoing[] | undefined} those that were given back and not sent since, if the page was left */
  #leftGivenBack;

  /** @type {Promise<void> | undefined} the repeat of a message that was given back, while it is under way */
  #repeat;

  /**
   * @type {string | undefined} what the browser would not store last. Where storage is forbidden or full, a page that is
   *   left and comes back out of the browser's cache has what it was sending, and the keys of what is in its form, from here
   */
  #notStored;

  /** Incremented when the page is left; results of earlier attempts are ignored. */
  #visit = 0;

  /**
   * @param {string} room empty for the server's default room
   * @param {OutboxListener} listener
   */
  constructor(room, listener) {
    this.#room = room;
    this.#listener = listener;
  }

  /**
   * Goes on where this tab was when the page was loaded anew, left or closed. What was being sent is sent under the same
   * keys, so that what was published is not published again; what is too old for that is given back. What was given back
   * keeps its key too.
   *
   * A page that comes back out of the browser's cache still has in its form what was given back before it was left. What
   * another page of this tab has sent or dropped meanwhile, or is sending, is taken out: Enter would publish it again, under
   * another key. What another page could not send is put before what the form has.
   */
  resume() {
    const { messages, problem } = this.#recall();
    const left = this.#leftGivenBack;
    this.#leftGivenBack = undefined;
    const stillGivenBack = new Set(problem === undefined ? [] : messages.map(({ key }) => key));
    for (const { key, text } of left ?? []) {
      if (!stillGivenBack.has(key)) this.#listener.onSentAfterAll(text);
    }
    if (messages.length === 0) return;
    if (problem === undefined) {
      this.#waiting = messages;
      this.#sendAll();
    } else {
      this.#givenBack = messages[0];
      const isNew = left && !left.some(({ key }) => stillGivenBack.has(key));
      if (isNew) this.#listener.onGivenBack(textsOf(messages), problem);
      else this.#listener.onRestored(textsOf(messages), problem);
    }
  }

  /**
   * Stops, because the page is left. It may come back out of the browser's cache, when another page of this tab has gone
   * on with what is stored.
   */
  leave() {
    this.#visit++;
    const { messages, problem } = this.#recall();
    this.#leftGivenBack = problem === undefined ? [] : messages;
    this.#waiting = [];
    this.#givenBack = undefined;
    this.#repeat = undefined;
    this.#listener.onBusy(false);
    this.#listener.onDecided();
  }

  /**
   * Sends a text after those that wait. One that was given back keeps its key if it is sent again unchanged. If it may
   * have been published, and other lines follow it now, they are a message of their own.
   *
   * @param {string} text
   * @param {string} from
   */
  add(text, from) {
    const idle = this.#waiting.length === 0;
    const again = this.#givenBack;
    this.#givenBack = undefined;
    let rest = text;
    if (again?.from === from && (text === again.text || (again.unconfirmed && text.startsWith(`${again.text}\n`)))) {
      // A person asks for it, knowing that it may be there already.
      if (!isRepeatable(again)) again.repeatUntil = undefined;
      this.#waiting.push(again);
      rest = text.slice(again.text.length + 1);
    }
    if (rest.trim()) this.#waiting.push({ text: rest, from, key: newKey(), unconfirmed: false });
    this.#store(this.#waiting);
    if (idle) this.#sendAll();
  }

  /**
   * Forgets what was given back, because it was deleted: it does not come back when the page is loaded anew. Its key stays in
   * memory, for a person who cuts the text and pastes it again.
   */
  drop() {
    if (this.#givenBack) this.#store(this.#waiting);
  }

  /**
   * Tells whether a message that arrives may be the one that is being sent. It may be another person's, too: only the
   * receipt tells.
   *
   * @param {Message} message
   */
  isSending(message) {
    return this.#waiting.length > 0 && mayBe(message, this.#waiting[0]);
  }

  /**
   * Tells whether a message that arrives may be the one that was given back, and a repeat can find that out.
   *
   * @param {Message} message
   */
  canConfirm(message) {
    const lost = this.#givenBack;
    if (!lost?.unconfirmed || this.#repeat) return false;
    return mayBe(message, lost) && isRepeatable(lost);
  }

  /**
   * Repeats the message that was given back, because one that arrived may be it. The arrival alone proves nothing:
   * another person may have said the same. With a receipt the message is published, once, whichever of the two it was.
   */
  confirm() {
    if (this.#givenBack) this.#repeat = this.#repeatGivenBack(this.#givenBack);
  }

  /** @param {Outgoing} outgoing */
  async #repeatGivenBack(outgoing) {
    const visit = this.#visit;
    const outcome = await this.#attempt(outgoing);
    if (visit !== this.#visit) return;
    this.#repeat = undefined;
    if (outcome.kind === "sent") {
      this.#listener.onReceipt(outcome.id);
      // Not if it has been sent again from the form meanwhile: then it is no longer there.
      if (this.#givenBack === outgoing) {
        this.#givenBack = undefined;
        // Those that were given back with it are still in the form.
        const { messages, problem } = this.#recall();
        this.#store(messages.slice(1), problem);
        this.#listener.onSentAfterAll(outgoing.text);
      }
    }
    this.#listener.onDecided();
  }

  /** One at a time, so that messages arrive in the order in which they were written. */
  async #sendAll() {
    const visit = this.#visit;
    this.#listener.onBusy(true);
    await this.#repeat;
    while (visit === this.#visit && this.#waiting.length > 0) {
      const outcome = await this.#send(this.#waiting[0], visit);
      if (visit !== this.#visit) return;
      if (outcome.kind === "sent") {
        this.#waiting.shift();
        this.#store(this.#waiting);
        this.#listener.onReceipt(outcome.id);
      } else {
        this.#giveBack(outcome.problem);
      }
      this.#listener.onDecided();
    }
    if (visit === this.#visit) this.#listener.onBusy(false);
  }

  /**
   * Repeats until an answer says what became of the message. Gives up after four attempts, when an attempt has failed 15
   * seconds or more after the first one began, and when the server may no longer know the key: the page may have been asleep
   * for hours.
   *
   * @param {Outgoing} outgoing
   * @param {number} visit
   * @returns {Promise<Outcome>}
   */
  async #send(outgoing, visit) {
    const begun = performance.now();
    /** @type {Outcome} */
    let outcome = { kind: "unconfirmed", problem: TOO_LATE, pauseMs: 0 };
    for (const pauseMs of [0, ...REPEAT_AFTER_MS]) {
      if (pauseMs > 0) await delay(Math.max(outcome.pauseMs, pauseMs * (0.75 + Math.random() / 2)));
      if (visit !== this.#visit) break;
      if (!isRepeatable(outgoing)) return { kind: "unconfirmed", problem: TOO_LATE, pauseMs: 0 };
      outgoing.repeatUntil ??= Date.now() + REPEATABLE_MS;
      const wasUnconfirmed = outgoing.unconfirmed;
      outgoing.unconfirmed = true;
      // Before the request: the page may end before the answer.
      this.#store(this.#waiting);
      outcome = await this.#attempt(outgoing);
      if (outcome.kind !== "unconfirmed") {
        outgoing.unconfirmed = wasUnconfirmed;
        break;
      }
      if (performance.now() - begun > TIMEOUT_MS) break;
    }
    return outcome;
  }

  /**
   * @param {Outgoing} outgoing
   * @returns {Promise<Outcome>}
   */
  async #attempt({ text, from, key }) {
    try {
      const response = await fetch("/send", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ msg: text, room: this.#room || undefined, from: from || undefined }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const id = response.headers.get("Event-Id");
      if (response.ok && id) return { kind: "sent", id };
      const problem = `${response.ok ? NOT_PARLEY : await reasonOf(response)}.${adviceOf(response)}`;
      // Only a 4xx says that nothing was published, except 408: the time ran out, perhaps after the message was given to
      // Redis. A proxy may answer with any 5xx after a pod got the request.
      const refused = response.status >= 400 && response.status < 500 && response.status !== 408;
      if (refused) return { kind: "refused", problem };
      const pauseMs = Math.min(LONGEST_PAUSE_MS, 1000 * retryAfter(response));
      return { kind: "unconfirmed", problem, pauseMs };
    } catch {
      const problem = "the server cannot be reached. Your text is kept.";
      return { kind: "unconfirmed", problem, pauseMs: 0 };
    }
  }

  /**
   * Gives back everything that waits, because what comes after a message must not arrive without it.
   *
   * @param {string} problem
   */
  #giveBack(problem) {
    const messages = this.#waiting;
    this.#givenBack = messages[0];
    this.#waiting = [];
    // Also if the last attempt was refused, for instance by a limit: an earlier one may have published the message.
    const result = this.#givenBack.unconfirmed ? "Perhaps not sent" : "Not sent";
    this.#store(messages, `${result}: ${problem}`);
    this.#listener.onGivenBack(textsOf(messages), `${result}: ${problem}`);
  }

  /**
   * @param {Outgoing[]} messages
   * @param {string} [problem] if they were given back
   */
  #store(messages, problem) {
    const json = JSON.stringify({ messages, problem });
    this.#notStored = remember("sessionStorage", STORED + this.#room, json) ? undefined : json;
  }

  #recall() {
    return parseStored(this.#notStored ?? recall("sessionStorage", STORED + this.#room));
  }
}

/**
 * Tells whether a message on the stream has the text and the name of one that was sent. The name of a verified message
 * is that of the sender's token, whatever was sent as `from`.
 *
 * @param {Message} message
 * @param {Outgoing} outgoing
 */
function mayBe({ text, from = "", verified }, outgoing) {
  return text === outgoing.text && (verified === true || from === outgoing.from);
}

/**
 * Tells whether the server publishes nothing if the message has been published under its key.
 *
 * @param {Outgoing} outgoing
 */
function isRepeatable({ repeatUntil }) {
  if (repeatUntil === undefined) return true;
  // More than that is left if the device's clock was set back since the first attempt. Then it is not known how old that is.
  const leftMs = repeatUntil - Date.now();
  return leftMs > 0 && leftMs <= REPEATABLE_MS;
}

/** @param {Outgoing[]} messages */
function textsOf(messages) {
  return messages.map(({ text }) => text);
}

/**
 * Reads what was stored. What does not have that form is left out.
 *
 * @param {string | undefined} json
 * @returns {Stored}
 */
function parseStored(json) {
  const { messages, problem } = parseObject(json);
  return {
    messages: Array.isArray(messages) ? messages.filter(isOutgoing) : [],
    problem: typeof problem === "string" ? problem : undefined,
  };
}

/**
 * @param {any} value
 * @returns {value is Outgoing}
 */
function isOutgoing(value) {
  const strings = [value?.text, value?.from, value?.key];
  const until = value?.repeatUntil;
  return strings.every((s) => typeof s === "string") && (until === undefined || typeof until === "number");
}

/** @param {Response} response */
function adviceOf(response) {
  const seconds = retryAfter(response);
  if (!(seconds > 0)) return " Your text is kept.";
  return ` Your text is kept; try again in ${seconds === 1 ? "1 second" : `${seconds} seconds`}.`;
}

/**
 * @param {Response} response
 * @returns {number} seconds; 0 if the server does not say
 */
function retryAfter(response) {
  return Number(response.headers.get("Retry-After")) || 0;
}

/** Makes a key for a message. randomUUID exists only in secure contexts, which plain http is not. */
function newKey() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} ms */
function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
