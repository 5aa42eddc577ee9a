// @ts-check
/** The browser's storage. A browser may forbid it, or it may be full: the page works without it. */

/** @typedef {"localStorage" | "sessionStorage"} Kind */

/**
 * Reads a stored value.
 *
 * @param {Kind} kind
 * @param {string} key
 * @returns {string | undefined}
 */
export function recall(kind, key) {
  try {
    return window[kind].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stores a value, if the browser allows it.
 *
 * @param {Kind} kind
 * @param {string} key
 * @param {string} value
 * @returns {boolean} false if the storage is forbidden or full; then it has no value or the one before
 */
export function remember(kind, key, value) {
  try {
    window[kind].setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
