// One dialog that asks before something is done, and one place that says what came of it.

import { byId, el } from "./dom.js";

const SAID_MS = 9000;
const MOST_SAID = 3;

/**
 * Asks. `fields` are elements for the dialog; `confirm` is the button's word. `act()` does it while the dialog is open
 * and may throw an `Error` whose message is shown there; what it returns is said afterwards.
 */
export function ask({ title, text, confirm, fields = [], act }) {
  const dialog = byId("ask"), form = byId("ask-form"), yes = byId("ask-yes"), no = byId("ask-no"), error = byId("ask-error");
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-fields").replaceChildren(...fields);
  error.textContent = "";
  yes.textContent = confirm;
  yes.disabled = false;
  const ended = new AbortController();
  const { signal } = ended;
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    yes.disabled = true;
    yes.textContent = "Working ...";
    error.textContent = "";
    try {
      const said = await act();
      if (!signal.aborted) dialog.close();
      tell(said);
    } catch (failure) {
      // The dialog may have been left meanwhile, and may ask something else by now.
      if (signal.aborted) tell(failure.message, "critical");
      else error.textContent = failure.message;
    } finally {
      busy = false;
      if (!signal.aborted) {
        yes.disabled = false;
        yes.textContent = confirm;
      }
    }
  }, { signal });
  no.addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => ended.abort(), { signal });
  dialog.showModal();
  (fields.length ? dialog.querySelector("#ask-fields input, #ask-fields select") : no).focus();
}

/** Says it, on the screen for a while and to screen readers. */
export function tell(text, level = "good") {
  const place = byId("said");
  const line = el("p", { "data-level": level }, text);
  place.append(line);
  while (place.children.length > MOST_SAID) place.firstElementChild.remove();
  setTimeout(() => line.remove(), SAID_MS);
}

/** A labelled field for `ask`. */
export function field(id, label, attributes) {
  const input = el("input", { id, ...attributes });
  return { node: el("div", { class: "field" }, el("label", { for: id }, label), input), input };
}
