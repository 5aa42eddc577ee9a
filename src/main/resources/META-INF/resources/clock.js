// @ts-check
/** The clock page: shows the time that `GET /clock` sends, and the state of the connection. */

import { byId } from "./chat/elements.js";

const now = byId("now", HTMLElement);
const date = byId("date", HTMLElement);
const status = byId("status", HTMLElement);
const longDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });

function connect() {
  const source = new EventSource("/clock");
  source.onmessage = (e) => {
    show(e.data);
    setStatus("live", "Live");
  };
  source.onerror = () => {
    setStatus("reconnecting", "Reconnecting…");
    // EventSource gives up after an answer other than 200, which a proxy may give during a rollout.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000 + Math.random() * 2000);
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

connect();
