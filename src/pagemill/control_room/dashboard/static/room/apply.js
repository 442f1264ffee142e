// Writes a run's results into the catalogue's own table, or undoes that. Shows it first, and works in parts.

import { change } from "../api.js";
import { ask } from "../dialog.js";
import { byId, el, say } from "../dom.js";
import { count, plural } from "../format.js";
import { apiRun } from "./addresses.js";
import { shown, step } from "./values.js";

const SHOWN = 50;
/** Verdicts by which shop and catalogue disagree. */
const TELLING = ["changed", "sold_out", "off_sale", "gone"];

const APPLY = {
  path: "apply", title: "Apply this run to the catalogue?", confirm: "Write", heading: "To be written", isInParts: true,
  would: (rows) => `${rows} would be written`, did: (rows) => `${rows} written`,
};
const UNDO = {
  path: "apply/undo", title: "Undo what was applied of this run?", confirm: "Take back", heading: "To be taken back", isInParts: false,
  would: (rows) => `${rows} would be taken back`, did: (rows) => `${rows} taken back`,
};

/** The possible actions. `platforms` are those that the run may have products of. */
export function applyActions(run, platforms) {
  const isPossible = platforms.some((each) => each.written_back.length) && TELLING.some((verdict) => run.verdicts[verdict]);
  return isPossible ? [{ name: "Apply", act: () => askFor(APPLY, run) }, { name: "Undo apply", act: () => askFor(UNDO, run) }] : [];
}

function askFor(what, run) {
  ask({
    title: what.title, text: "Looking at the catalogue ...",
    async prepare(signal) {
      const found = await inParts(what, run, false, signal);
      const rows = found.outcomes.written || 0;
      const lists = [listOf(what.heading, found.changes.filter((each) => each.outcome === "written"), rows, saysThen), leftOf(found)];
      return { text: sentence(what.would, found), fields: lists.filter(Boolean), confirm: rows && found.mayBeWritten ? `${what.confirm} ${plural(rows, "row")}` : "" };
    },
    async act(signal) {
      const found = await inParts(what, run, true, signal);
      const told = sentence(what.did, found);
      showDone(told, leftOf(found));
      return told;
    },
  });
}

/** Requests one part after the other until the dialog is closed; returns the sum of all outcomes. */
async function inParts(what, run, write, signal) {
  const whole = { outcomes: {}, columns: 0, changes: [], left: [], without: [], mayBeWritten: true, stoppedAt: "" };
  let after = "";
  do {
    const part = await askForPart(what, run, { write, limit: SHOWN, ...(what.isInParts && { after }) }, whole.outcomes.written);
    for (const [outcome, number] of Object.entries(part.outcomes)) whole.outcomes[outcome] = (whole.outcomes[outcome] || 0) + number;
    whole.columns += part.columns;
    for (const list of ["changes", "left"]) whole[list] = [...whole[list], ...part[list]].slice(0, SHOWN);
    whole.without = part.without;
    whole.mayBeWritten = part.may_be_written;
    after = part.next_after;
    if (after && !signal.aborted) say(byId("ask-text"), `${sentence(write ? what.did : what.would, whole)} Up to ${after} ...`);
  } while (after && !signal.aborted);
  whole.stoppedAt = after;
  return whole;
}

async function askForPart(what, run, body, before = 0) {
  try {
    return await change("POST", `${apiRun(run.run)}/${what.path}`, body);
  } catch (error) {
    if (!body.write || !before) throw error;
    throw new Error(`${error.message}. ${what.did(plural(before, "row"))} before: once more goes on from there`, { cause: error });
  }
}

function sentence(how, found) {
  const { written = 0, already = 0, ...left } = found.outcomes;
  const lefts = Object.values(left).reduce((sum, number) => sum + number, 0);
  const parts = [how(`${plural(written, "row")} (${plural(found.columns, "column")})`)];
  if (already) parts.push(`${count(already)} as wanted already`);
  if (lefts) parts.push(`${count(lefts)} left as found`);
  const told = [`${parts.join(", ")}.`];
  if (found.without.length) told.push(`Nothing of ${found.without.join(", ")}: no catalog.update says what may be written.`);
  if (!found.mayBeWritten) told.push("It can only be shown: PAGEMILL_CATALOG_WRITE_URL, an account that may write, is not set for the control API.");
  if (found.stoppedAt) told.push(`Stopped behind ${found.stoppedAt}: once more goes on from there.`);
  return told.join(" ");
}

const saysThen = (each) => step(each.column, ["says", each.before], ["then", each.after]);
const wanted = (each) => el("li", {}, el("span", { class: "field-name" }, `${each.column}, wanted `), shown(each.after));

function leftOf(found) {
  const { written: _written, already: _already, ...left } = found.outcomes;
  const inAll = Object.values(left).reduce((sum, number) => sum + number, 0);
  return listOf("Left as found, and why", found.left, inAll, wanted);
}

/** A list of the first products; `null` without any. `line` formats one column. */
function listOf(heading, changes, inAll, line) {
  const products = new Map();
  for (const each of changes) {
    const key = JSON.stringify([each.platform, each.product_id, each.reason]);
    if (!products.has(key)) products.set(key, []);
    products.get(key).push(each);
  }
  if (!products.size) return null;
  const rows = [...products.values()].map((cells) =>
    el("li", {}, el("div", { class: "what" }, el("b", {}, cells[0].product_id), cells[0].reason && el("span", { class: "sub" }, cells[0].reason)), el("ul", { class: "differences" }, ...cells.map(line))),
  );
  const some = inAll > rows.length ? ` (the first ${count(rows.length)} of ${count(inAll)})` : "";
  return el("section", { class: "changes" }, el("h3", {}, `${heading}${some}`), el("div", { class: "scroll", role: "region", "aria-label": heading, tabindex: "0" }, el("ol", { class: "rows change-rows" }, ...rows)));
}

function showDone(told, left) {
  const place = byId("applied");
  say(byId("applied-told"), told);
  byId("applied-left").replaceChildren(...(left ? [left] : []));
  place.hidden = false;
  const dialog = byId("ask");
  if (dialog.open) dialog.addEventListener("close", () => place.focus(), { once: true });
}
