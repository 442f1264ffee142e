// One dialog that asks before an action, and one place for messages about outcomes.

import { byId, el } from "./dom.js";

const SAID_MS = 9000;
const MOST_SAID = 3;

/**
 * Asks. `fields` are elements for the dialog. `confirm` is the button's text; without it there is no button.
 * `prepare(signal)` loads what the open dialog needs, and returns `text`, `fields` and `confirm`. `act(signal)` does the
 * action while the dialog is open: an `Error` from it is shown there, and the text that it returns afterwards. `signal`
 * is aborted when the dialog is closed.
 */
export function ask({ title, text, confirm = "", fields = [], prepare, act }) {
  const dialog = byId("ask"), form = byId("ask-form"), yes = byId("ask-yes"), no = byId("ask-no"), error = byId("ask-error");
  const ended = new AbortController();
  const { signal } = ended;
  let busy = false;
  let word = "";
  const offer = (found) => {
    byId("ask-text").textContent = found.text;
    byId("ask-fields").replaceChildren(...found.fields);
    word = found.confirm;
  };
  const work = async (task, whenLeft) => {
    if (busy) return;
    busy = true;
    yes.disabled = true;
    yes.hidden = false;
    yes.textContent = "Working ...";
    no.textContent = "Cancel";
    error.textContent = "";
    try {
      await task();
    } catch (failure) {
      // The dialog may have been closed meanwhile, and may be asking something else by now.
      if (signal.aborted) whenLeft(failure);
      else error.textContent = failure.message;
    } finally {
      busy = false;
      if (!signal.aborted) showWord();
    }
  };
  const showWord = () => {
    yes.disabled = false;
    yes.hidden = !word;
    yes.textContent = word;
    no.textContent = word ? "Cancel" : "Close";
  };
  offer({ text, fields, confirm });
  error.textContent = "";
  byId("ask-title").textContent = title;
  showWord();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    work(async () => {
      const said = await act(signal);
      if (!signal.aborted) dialog.close();
      tell(said);
    }, (failure) => tell(failure.message, "critical"));
  }, { signal });
  no.addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => ended.abort(), { signal });
  dialog.showModal();
  (fields.length ? dialog.querySelector("#ask-fields input, #ask-fields select") : no).focus();
  if (prepare) work(async () => {
    const found = await prepare(signal);
    if (!signal.aborted) offer(found);
  }, () => {});
}

/** Shows a message for a while, and reads it out in screen readers. */
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
