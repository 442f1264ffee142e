// An admin's actions on a run. Each asks first; a new one is one more line in `actionsOf`.

import { change } from "../api.js";
import { ask } from "../dialog.js";
import { byId, el, sync } from "../dom.js";
import { count, words } from "../format.js";
import { VERDICTS } from "../picture.js";
import { apiRun, runAddress } from "./addresses.js";
import { applyActions } from "./apply.js";
import { isOver } from "./run_row.js";

const UNSETTLED = ["blocked", "failed"];

/** The buttons for possible actions on products of these platforms; `changed()` is called after an action. */
export function offerActions(run, platforms, changed) {
  sync(byId("run-actions"), actionsOf(run, platforms, changed), (action) => action.name, makeButton);
}

function actionsOf(run, platforms, changed) {
  const actions = applyActions(run, platforms);
  if (run.done || run.missing) actions.push({ name: "Again", act: () => again(run) });
  if (!isOver(run)) actions.push({ name: "Cancel", act: () => cancel(run, changed) });
  return actions;
}

function makeButton(action) {
  let now = action;
  const button = el("button", { type: "button" }, action.name);
  button.addEventListener("click", () => now.act());
  return { node: button, update: (newer) => (now = newer) };
}

const batches = (number) => (number === 1 ? "1 batch" : `${count(number)} batches`);

function cancel(run, changed) {
  ask({
    title: "Cancel this run?", text: "What is done stays, visits under way are broken off, nothing more is begun.", confirm: "Cancel the run",
    async act() {
      const done = await change("POST", `${apiRun(run.run)}/cancel`);
      changed();
      return `Cancelled: ${batches(done.batches_taken_off)} taken off, ${batches(done.batches_stopped)} broken off.`;
    },
  });
}

function again(run) {
  const offered = VERDICTS.filter((verdict) => run.verdicts[verdict]).map((verdict) => ({
    value: verdict, label: `${words(verdict)} (${run.verdicts[verdict]})`, on: UNSETTLED.includes(verdict),
  }));
  if (run.missing) offered.push({ value: "missing", label: `without a result (${run.missing})`, on: true });
  const boxes = offered.map((each) => el("input", { type: "checkbox", id: `again-${each.value}`, checked: each.on, value: each.value }));
  const fields = boxes.map((box, at) => el("div", { class: "choice" }, box, el("label", { for: box.id }, offered[at].label)));
  ask({
    title: "Begin again?", text: "A new run with these products, and with what the catalogue expected of them then:", confirm: "Begin", fields,
    async act() {
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      if (!chosen.length) throw new Error("Choose at least one.");
      const verdicts = chosen.filter((value) => value !== "missing");
      const found = await change("POST", `${apiRun(run.run)}/again`, { verdicts, missing: chosen.includes("missing") });
      location.assign(runAddress(found.run.run));
      return `${found.run.run} was begun.`;
    },
  });
}
