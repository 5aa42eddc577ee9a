// @ts-check
/** The connection to `GET /events`: opening it, noticing that it is dead, and resuming where it ended. */

import { parseObject } from "./json.js";
import { messageFrom } from "./messages.js";
import { followsGap, Position } from "./position.js";
import { reasonOf } from "./refusal.js";

const HISTORY = 50;
const SETTLE_MS = 250;
const OPEN_TIMEOUT_MS = 20_000;
/** How long an attempt of the browser may take. It first makes the pause that the server asked for, unseen by the page. */
const REOPEN_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 15_000;
const LONGEST_BACKOFF_MS = 30_000;
const STALE_AFTER_MS = 120_000;
/** How old an attempt must be for the next one, when a person or the network comes back. */
const COME_BACK_PAUSE_MS = 2_000;
/** How old a refused attempt must be for the next one. */
const CLOSED_PAUSE_MS = 10_000;
/** Pause before a refused page asks, unseen, whether it is still refused. */
const ASK_AGAIN_MS = 60_000;
const HEARTBEAT_MS = 8_000;
const LONGEST_HEARTBEAT_MS = 60_000;
const HEARTBEATS_MISSED = 2.5;
/** How long to wait for the first heartbeat, which says when the next ones come. By default no pause is above 60 s. */
const FIRST_HEARTBEAT_MS = 65_000;

/** @typedef {"connecting" | "live" | "reconnecting" | "closed"} State */

/** @type {Record<State, string>} */
const STATUS = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  closed: "Disconnected",
};

/**
 * What the page says while it reconnects, for each disconnect reason of the server. `client` and `error` are reasons
 * without an `event: goodbye`; they are here so that the list is complete.
 *
 * @type {Record<string, string>}
 */
export const GOODBYES = {
  client: STATUS.reconnecting,
  "slow-consumer": STATUS.reconnecting,
  drain: "Server restarting, reconnecting…",
  limit: "Too many connections, reconnecting…",
  rotation: STATUS.reconnecting,
  unavailable: "Server not ready, reconnecting…",
  expired: STATUS.reconnecting,
  revoked: "No longer allowed to read this room, reconnecting…",
  error: STATUS.reconnecting,
};

/**
 * @typedef {object} StreamListener
 * @property {(state: State, text: string) => void} onState
 * @property {(id: string, message: import("./messages.js").Message) => void} onMessage each message once, in order;
 *   the id is empty if the message has none
 * @property {(follows: ((id: string) => boolean) | undefined) => void} onGap messages are lost; see `followsGap`
 */

export class RoomStream {
  #room;
  #listener;
  #position = new Position();

  /** @type {State} */
  #state = "connecting";

  /** @type {EventSource | undefined} */
  #source;

  #attempts = 0;
  #hiddenSince = Date.now();
  #triedAt = 0;

  /** @type {number | undefined} */
  #liveTimer;

  /** @type {number | undefined} */
  #openTimer;

  /** @type {number | undefined} */
  #retryTimer;

  /** @type {number | undefined} */
  #watchdog;

  #watching = false;
  #heardAt = 0;
  #silenceMs = 0;
  #guessedHeartbeatMs = HEARTBEAT_MS;
  #patienceMs = FIRST_HEARTBEAT_MS;

  /**
   * @param {string} room empty for the server's default room
   * @param {StreamListener} listener
   */
  constructor(room, listener) {
    this.#room = room;
    this.#listener = listener;
  }

  /**
   * Opens the stream, and keeps it open as long as the page is.
   *
   * @param {string} after the id after which to begin; if empty, the stream begins with the newest messages of the room
   */
  start(after) {
    this.#position.moveTo(after);
    addEventListener("online", () => this.#comeBack());
    // An open stream keeps a page out of the back/forward cache.
    addEventListener("pagehide", () => this.#disconnect());
    addEventListener("pageshow", (e) => e.persisted && this.#comeBack());
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    this.#connect();
  }

  /** Opens the stream again, after the server has refused it for good. */
  retry() {
    this.#connect();
  }

  /** Opens a stream that resumes at the position. This is the only place that makes an EventSource. */
  #connect() {
    this.#disconnect();
    // The first attempt is not a return. While the page reconnects already, its status may say why.
    if (this.#state === "live" || this.#state === "closed") this.#setState("reconnecting");
    this.#triedAt = Date.now();
    const source = new EventSource(this.#url());
    this.#source = source;
    this.#awaitOpen(OPEN_TIMEOUT_MS);
    // Not live at once: the server may open a stream only to say goodbye (limit, drain), and the status would flicker.
    source.onopen = () => {
      clearTimeout(this.#openTimer);
      this.#heard();
      this.#liveTimer = setTimeout(() => this.#live(), SETTLE_MS);
    };
    source.onerror = () => this.#onError(source);
    source.onmessage = (e) => this.#onMessage(e);
    this.#onControl("position", (e) => this.#onPosition(e));
    this.#onControl("resumed", () => this.#live());
    this.#onControl("heartbeat", (e, { seconds }) => this.#onHeartbeat(e, seconds));
    this.#onControl("gap", (_, gap) => this.#onGap(gap));
    this.#onControl("goodbye", (_, { reason }) => {
      clearTimeout(this.#liveTimer);
      this.#setState("reconnecting", GOODBYES[String(reason)]);
    });
  }

  #disconnect() {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#liveTimer);
    clearTimeout(this.#retryTimer);
    this.#stopWatching();
    this.#source?.close();
    this.#source = undefined;
  }

  /**
   * Makes another attempt if this one is not answered in time: a browser may wait for minutes.
   *
   * @param {number} ms
   */
  #awaitOpen(ms) {
    clearTimeout(this.#openTimer);
    this.#openTimer = setTimeout(() => this.#connect(), ms);
  }

  #url() {
    const query = new URLSearchParams({ format: "json", history: String(HISTORY), heartbeat: "event" });
    if (this.#room) query.set("room", this.#room);
    if (this.#position.id) query.set("lastEventId", this.#position.id);
    return `/events?${query}`;
  }

  /**
   * Listens to a control event. A message whose publisher chose the same event type, which older servers allow, is
   * still a message.
   *
   * @param {string} name
   * @param {(e: MessageEvent<string>, data: Record<string, unknown>) => void} act
   */
  #onControl(name, act) {
    this.#source?.addEventListener(name, (e) => {
      const data = parseObject(e.data);
      if (typeof data.text === "string") {
        this.#onMessage(e);
        return;
      }
      this.#heard();
      act(e, data);
    });
  }

  /** @param {MessageEvent<string>} e */
  #onMessage({ lastEventId, data }) {
    this.#heard();
    this.#live();
    if (this.#position.isRepeat(lastEventId, data)) return;
    const hasOwnId = lastEventId !== this.#position.id;
    this.#position.moveTo(lastEventId, data);
    this.#listener.onMessage(hasOwnId ? lastEventId : "", messageFrom(data));
  }

  /** @param {Record<string, unknown>} gap */
  #onGap(gap) {
    this.#position.reset();
    this.#listener.onGap(followsGap(gap));
    this.#live();
  }

  #live() {
    clearTimeout(this.#liveTimer);
    this.#attempts = 0;
    this.#setState("live");
  }

  /**
   * @param {State} state
   * @param {string} [text]
   */
  #setState(state, text = STATUS[state]) {
    this.#state = state;
    this.#listener.onState(state, text);
  }

  /* The watchdog: a connection whose network is gone stays open in the browser for minutes. */

  /**
   * Starts the watchdog. It needs an event that only servers with heartbeats send, `position` or `heartbeat`: older ones
   * send comments instead, which a page cannot see.
   */
  #startWatching() {
    this.#watching = true;
    this.#watch();
  }

  /**
   * Takes over the position at once: a page that is left before the first message or heartbeat would otherwise have none, and
   * begin with the newest messages when it comes back.
   *
   * @param {MessageEvent<string>} e
   */
  #onPosition({ lastEventId }) {
    this.#position.moveTo(lastEventId);
    this.#startWatching();
  }

  /**
   * Waits from now on for as long as this server's pauses require.
   *
   * @param {MessageEvent<string>} e it has the id of the last message before it, also of one that the page cannot see
   * @param {unknown} seconds the longest pause before the next heartbeat; missing or another value if it is not known
   */
  #onHeartbeat({ lastEventId }, seconds) {
    this.#live();
    this.#position.moveTo(lastEventId);
    const known = typeof seconds === "number" && seconds > 0;
    // The server may be configured to pause for longer than by default. The silence before a heartbeat shows it.
    this.#guessedHeartbeatMs = Math.min(Math.max(this.#guessedHeartbeatMs, this.#silenceMs), LONGEST_HEARTBEAT_MS);
    this.#patienceMs = HEARTBEATS_MISSED * (known ? 1000 * seconds : this.#guessedHeartbeatMs);
    this.#startWatching();
  }

  /** Notes that the connection lives. */
  #heard() {
    const now = performance.now();
    this.#silenceMs = now - this.#heardAt;
    this.#heardAt = now;
    if (this.#watching) this.#watch();
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#connect(), this.#patienceMs);
  }

  #stopWatching() {
    clearTimeout(this.#watchdog);
    this.#watching = false;
    // The next server may pause for longer than this one.
    this.#patienceMs = FIRST_HEARTBEAT_MS;
  }

  /* Coming back */

  /**
   * EventSource reconnects by itself after a lost connection, but not after an answer other than 200.
   *
   * @param {EventSource} source
   */
  #onError(source) {
    clearTimeout(this.#liveTimer);
    this.#stopWatching();
    // Not after a goodbye: the status says its reason.
    if (this.#state !== "reconnecting") this.#setState("reconnecting");
    if (source.readyState === EventSource.CLOSED) this.#recover(source);
    else this.#awaitOpen(REOPEN_TIMEOUT_MS);
  }

  /**
   * Connects again after a pause, or shows why the page is refused. It then asks once a minute, and connects when the reason has
   * passed: a gateway had no pod, or the person has been given the right.
   *
   * @param {EventSource} source
   */
  async #recover(source) {
    clearTimeout(this.#openTimer);
    const refusal = await this.#askWhyRefused();
    if (this.#source !== source) return;
    if (refusal) {
      this.#setState("closed", `${STATUS.closed}: ${refusal}`);
      this.#retryTimer = setTimeout(() => this.#recover(source), spread(ASK_AGAIN_MS));
    } else {
      this.#retryTimer = setTimeout(() => this.#connect(), backoff(this.#attempts++));
    }
  }

  /**
   * Sends the request once more, because EventSource hides the status of the answer. After 204 and most 4xx
   * reconnecting is of no use; after anything else, for instance a proxy's 502 during a rollout, it is.
   *
   * @returns {Promise<string | undefined>} the reason not to come back
   */
  async #askWhyRefused() {
    const abort = new AbortController();
    const timeout = setTimeout(() => abort.abort(), PROBE_TIMEOUT_MS);
    try {
      const headers = { Accept: "text/event-stream, application/json" };
      const response = await fetch(this.#url(), { signal: abort.signal, headers });
      if (response.status === 204) return "the server ended this stream";
      const final = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
      return final ? await reasonOf(response) : undefined;
    } catch {
      return undefined;
    } finally {
      clearTimeout(timeout);
      abort.abort();
    }
  }

  /** After a long sleep a dead connection can look open for minutes. Resuming costs little, so do it at once. */
  #onVisibility() {
    if (document.hidden) {
      this.#hiddenSince = Date.now();
      return;
    }
    const asleep = Date.now() - this.#hiddenSince > STALE_AFTER_MS;
    if (asleep || this.#state !== "live") this.#comeBack();
  }

  /**
   * Connects at once. Also after a refusal, since its reason may have passed: another tab has renewed the cookie, or a
   * gateway has a pod again. Not more often than every ten seconds then, and every two seconds while it tries already, however
   * often a person changes between tabs.
   */
  #comeBack() {
    const pauseMs = this.#state === "closed" ? CLOSED_PAUSE_MS : COME_BACK_PAUSE_MS;
    // A page that was left has no source, and nothing else would make one.
    const triesAlready = this.#source && this.#state !== "live";
    if (triesAlready && Date.now() - this.#triedAt < pauseMs) return;
    this.#connect();
  }
}

/**
 * Doubles up to a ceiling.
 *
 * @param {number} attempt
 */
function backoff(attempt) {
  return spread(Math.min(LONGEST_BACKOFF_MS, 1000 * 2 ** attempt));
}

/**
 * Returns a pause between half of this one and all of it, so that many pages do not come back at the same moment.
 *
 * @param {number} ms
 */
function spread(ms) {
  return ms * (0.5 + Math.random() / 2);
}
