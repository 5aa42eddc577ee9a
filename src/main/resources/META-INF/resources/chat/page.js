// @ts-check
/** The chat page: shows the messages of a room from `GET /events`, and sends with `POST /send`. `/chat.js` imports it. */

import { byId } from "./elements.js";
import { Form } from "./form.js";
import { readHistory } from "./history.js";
import { MessageList } from "./messages.js";
import { Outbox } from "./outbox.js";
import { RoomStream } from "./stream.js";
import { ListView, showStatus } from "./view.js";

/** Empty for the server's default room. */
const room = new URLSearchParams(location.search).get("room") ?? "";

/** @type {MessageList} */
const messages = new MessageList({
  onAdded: (entry) => view.append(entry),
  onRemoved: (entry) => view.remove(entry),
  onChanged: (entry) => view.update(entry),
  onTakenBack: (entry) => view.takeBack(entry),
  onGap: () => view.showGap(),
});

const view = new ListView((entry) => messages.continuesPrevious(entry));

const form = new Form(
  (text, from) => {
    view.followNewest();
    outbox.add(text, from);
  },
  () => outbox.drop(),
);

const outbox = new Outbox(room, {
  onBusy: (busy) => form.setBusy(busy),
  onReceipt: (id) => messages.markOwn(id),
  onDecided: () => messages.decide(),
  onGivenBack: (texts, problem) => form.giveBack(texts, problem),
  onRestored: (texts, problem) => form.restore(texts, problem),
  onSentAfterAll: (text) => form.takeOut(text),
});

const stream = new RoomStream(room, {
  onState: (state, text) => {
    showStatus(state, text);
    if (state === "live") view.announceNewMessages();
  },
  onMessage: show,
  onGap: (follows) => messages.onGap(follows),
});

if (room) {
  byId("room", HTMLElement).textContent = room;
  document.title = `${room} · Parley`;
}
byId("retry", HTMLButtonElement).addEventListener("click", () => stream.retry());
addEventListener("pagehide", () => outbox.leave());
addEventListener("pageshow", (e) => {
  if (!e.persisted) return;
  messages.recallOwn();
  outbox.resume();
});
outbox.resume();
stream.start(await showHistory());

/** @returns {Promise<string>} the id at which the stream continues; empty to let the stream begin with the history */
async function showHistory() {
  try {
    const history = await readHistory(room || "lobby");
    for (const message of history.messages) show(message.id, message);
    return history.after;
  } catch {
    // Not shown here: RoomStream waits for a server, and shows why the room is refused.
    return "";
  }
}

/**
 * Shows a message, and checks whether it is the one that was given back.
 *
 * @param {string} id empty if the message has none
 * @param {import("./messages.js").Message} message
 */
function show(id, message) {
  // Not if the text has been edited in the form: a repeat would publish the unedited text.
  const canConfirm = id !== "" && outbox.canConfirm(message) && form.beginsWith(message.text);
  const { own } = messages.add(id, message, canConfirm || outbox.isSending(message));
  if (canConfirm && !own) outbox.confirm();
}
