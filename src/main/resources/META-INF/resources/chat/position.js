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
