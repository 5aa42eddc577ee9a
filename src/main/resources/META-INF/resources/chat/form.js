// @ts-check
/** The form at the bottom of the page: the name, the text, and what went wrong with sending it. */

import { byId } from "./elements.js";
import { recall, remember } from "./storage.js";

const NAME = "parley.name";

export class Form {
  #form = byId("composer", HTMLFormElement);
  #name = byId("name", HTMLInputElement);
  #text = byId("text", HTMLTextAreaElement);
  #send = byId("send", HTMLButtonElement);
  #error = byId("error", HTMLElement);

  /**
   * @param {(text: string, from: string) => void} onSubmit the text is not blank; the name may be empty
   * @param {() => void} onDeleted the text was deleted by hand, also one that was put back
   */
  constructor(onSubmit, onDeleted) {
    this.onSubmit = onSubmit;
    this.onDeleted = onDeleted;
    this.#name.value = recall("localStorage", NAME) ?? "";
    this.#name.addEventListener("input", () => remember("localStorage", NAME, this.#name.value.trim()));
    this.#text.addEventListener("keydown", (e) => this.#onKey(e));
    this.#text.addEventListener("input", () => this.#onInput());
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#submit();
    });
    // A person may have loaded the page anew while `/chat.js` had disabled it, and Firefox restores that.
    this.#send.disabled = false;
  }

  /** @param {boolean} busy whether a message is being sent */
  setBusy(busy) {
    if (busy) this.#send.setAttribute("aria-busy", "true");
    else this.#send.removeAttribute("aria-busy");
  }

  /**
   * Puts unsent texts back, before what has been typed since.
   *
   * @param {string[]} texts
   * @param {string} problem
   */
  giveBack(texts, problem) {
    this.#text.value = [...texts, this.#text.value].filter(Boolean).join("\n");
    this.#error.textContent = problem;
  }

  /**
   * Puts unsent texts back after the page was loaded anew, unless the browser has kept what was here, which may have been
   * edited.
   *
   * @param {string[]} texts
   * @param {string} problem
   */
  restore(texts, problem) {
    const all = texts.join("\n");
    this.#text.value ||= all;
    if (this.beginsWith(all)) this.#error.textContent = problem;
  }

  /**
   * Tells whether a text that was put back is still here, and unchanged.
   *
   * @param {string} text
   */
  beginsWith(text) {
    return `${this.#text.value}\n`.startsWith(`${text}\n`);
  }

  /**
   * Takes a text that was put back out again, unless it has been edited.
   *
   * @param {string} text
   */
  takeOut(text) {
    if (this.beginsWith(text)) this.#text.value = this.#text.value.slice(text.length + 1);
    if (!this.#text.value) this.#error.textContent = "";
  }

  /** A text that was deleted was not wanted any more, nor is the reason why it was not sent. */
  #onInput() {
    if (this.#text.value) return;
    this.#error.textContent = "";
    this.onDeleted();
  }

  /**
   * Sends on Enter. Enter also confirms a word in an input method (229 in older engines), and then must not send.
   *
   * @param {KeyboardEvent} e
   */
  #onKey(e) {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#text.value;
    if (!text.trim()) return;
    this.#text.value = "";
    this.#error.textContent = "";
    this.onSubmit(text, this.#name.value.trim());
  }
}
