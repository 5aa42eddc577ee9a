// @ts-check
/**
 * The page's position in its room's log.
 *
 * Every message has an id `<epoch>-<offset>`, such as `k3f9-42`. Offsets count a room's messages 1, 2, 3 … A new epoch
 * begins when another server takes over the count, and when messages were lost; then other messages may have the same
 * offsets. So two ids are compared only if their epochs are equal.
 */

const ID = /^([0-9a-z]{1,32})-(0|[1-9][0-9]{0,17})$/;

export class Position {
  /** The id of the newest message; empty before the first one, and after a gap. */
  id = "";

  /** The data of the message with that id; empty if that message was not shown to this page. */
  #data = "";

  /**
   * Tells whether a message was received before.
   *
   * A text that another program published directly in Redis has no id, and the browser then reports the id of the
   * message before it. So the newest id with other data is not a repeat.
   *
   * @param {string} id
   * @param {string} data
   */
  isRepeat(id, data) {
    if (id === this.id) return id !== "" && data === this.#data;
    const [, epoch, offset] = ID.exec(id) ?? [];
    const [, ownEpoch, ownOffset] = ID.exec(this.id) ?? [];
    // BigInt: an offset may have 18 digits, and a number is exact up to 15.
    return epoch !== undefined && epoch === ownEpoch && BigInt(offset) < BigInt(ownOffset);
  }

  /**
   * Moves to a message that was received.
   *
   * @param {string} id
   * @param {string} [data]
   */
  moveTo(id, data = "") {
    if (id === "" || id === this.id) return;
    this.id = id;
    this.#data = data;
  }

  /** Forgets the position: the next message is the first one, whatever its id. */
  reset() {
    this.id = "";
    this.#data = "";
  }
}

/**
 * Says what follows the gap of an `event: gap`: the messages from `oldest` on, or those after `newest` if `oldest` is null. If
 * `requested` has the same epoch, what the page got before these stays valid, and does not come again.
 *
 * @param {Record<string, unknown>} gap the data of the event
 * @returns {((id: string) => boolean) | undefined} tells of a message that the page has whether it is among those that
 *   follow; undefined if none that the page has is valid
 */
export function followsGap({ requested, oldest, newest }) {
  const [, ownEpoch] = ID.exec(String(requested)) ?? [];
  const [, epoch, offset] = ID.exec(String(oldest ?? newest)) ?? [];
  if (epoch === undefined || epoch !== ownEpoch) return undefined;
  const last = BigInt(offset) - (oldest ? 1n : 0n);
  return (id) => {
    // The offsets of what the page has ascend, also across epochs.
    const [, , own] = ID.exec(id) ?? [];
    return own !== undefined && BigInt(own) > last;
  };
}
