// @ts-check

/**
 * Parses text that may or may not be JSON.
 *
 * @param {unknown} json
 * @returns {Record<string, unknown>} the object; an empty one for anything else
 */
export function parseObject(json) {
  try {
    return Object(JSON.parse(String(json)));
  } catch {
    return {};
  }
}
