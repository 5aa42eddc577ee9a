// @ts-check
import { parseObject } from "./json.js";

/**
 * Reads why a request was refused: the server's own words, unless the body is a proxy's HTML page.
 *
 * @param {Response} response
 * @returns {Promise<string>}
 */
export async function reasonOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const body = await response.text();
  const problem = type.includes("json") ? parseObject(body) : {};
  const words = problem.detail || problem.title || (type.startsWith("text/plain") && body.trim().slice(0, 200));
  return String(words || `the server answered ${response.status}`).replace(/\.$/, "");
}
