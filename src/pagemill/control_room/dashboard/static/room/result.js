// One result: a line that opens, and its details.

import { byId, el, icon, say } from "../dom.js";
import { duration, moment, plural } from "../format.js";
import { productAddress } from "./addresses.js";
import { evidence } from "./evidence.js";
import { badge, differences, nameOf, outside, shown } from "./values.js";

const SHOWN_DIFFERENCES = 3;
/** Verdicts that may have a screenshot and HTML. */
const UNSETTLED = ["failed", "blocked"];
let numbered = 0;

/** `choose(field)` shows only results in which this field differs. */
export function makeResult(result, choose) {
  const id = `result-${++numbered}`;
  const sign = el("span", { class: "sign" });
  const name = el("span", { class: "sub" });
  const told = el("div", { class: "how" });
  const button = el("button", { type: "button", class: "small open", "aria-expanded": "false", "aria-controls": id, "aria-label": `Open ${result.product_id}` }, icon("triangle"), el("span", {}, "Open"));
  const inside = el("div", { id, class: "inside", hidden: true });
  const link = el("a", { href: productAddress(result.platform, result.product_id) }, result.product_id);
  let now = result;
  let drawn = "";
  const draw = () => {
    const text = JSON.stringify(now);
    if (inside.hidden || drawn === text) return;
    drawn = text;
    inside.replaceChildren(...detailOf(now, choose));
  };
  button.addEventListener("click", () => {
    inside.hidden = !inside.hidden;
    button.setAttribute("aria-expanded", String(!inside.hidden));
    draw();
  });
  let before = "";
  return {
    node: el("li", {}, sign, el("div", { class: "what" }, link, name), told, button, inside),
    update(newer) {
      now = newer;
      const text = JSON.stringify([newer.verdict, newer.reason, newer.differences]);
      if (text !== before) {
        before = text;
        sign.replaceChildren(badge(newer.verdict));
        told.replaceChildren(newer.differences.length ? differences(newer, SHOWN_DIFFERENCES) : el("span", { class: "sub" }, newer.reason));
      }
      say(name, nameOf(newer));
      draw();
    },
  };
}

function detailOf(result, choose) {
  const parts = [];
  if (result.differences.length) parts.push(sideBySide(result, choose));
  // The reason of a change only repeats its differences.
  else if (result.reason) parts.push(el("p", { class: "reason" }, result.reason));
  parts.push(
    el(
      "dl", { class: "about" },
      ...told("In the catalogue", outside(result.url)),
      ...told("The visit ended at", outside(result.final_url)),
      ...told("Visited", `${moment(new Date(result.started_at))}, for ${duration((new Date(result.finished_at) - new Date(result.started_at)) / 1000)}, ${plural(result.attempts, "attempt")}`),
      ...told("By", result.worker),
      ...told("History", el("a", { href: productAddress(result.platform, result.product_id) }, `${result.product_id} in each run`)),
    ),
  );
  if (Object.keys(result.facts).length) parts.push(factsOf(result));
  if (UNSETTLED.includes(result.verdict)) parts.push(evidence(result));
  return parts;
}

const told = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

function sideBySide(result, choose) {
  const rows = result.differences.map((each) => {
    const only = el("button", { type: "button", class: "quiet small" }, `Only ${each.field}`);
    only.addEventListener("click", () => {
      choose(each.field);
      byId("results-field").focus();
    });
    return el("tr", {}, el("th", { scope: "row" }, each.field), el("td", { class: "text", "data-label": "Expected" }, el("del", {}, shown(each.expected))), el("td", { class: "text", "data-label": "Found" }, el("ins", {}, shown(each.found))), el("td", { class: "n" }, only));
  });
  const head = el("tr", {}, ...["Field", "Expected", "Found"].map((name) => el("th", { scope: "col" }, name)), el("th", { scope: "col" }, el("span", { class: "hidden" }, "Filter")));
  return el("table", { class: "sides" }, el("caption", { class: "hidden" }, "Expected and found"), el("thead", {}, head), el("tbody", {}, ...rows));
}

function factsOf(result) {
  const rows = Object.entries(result.facts).map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "text" }, shown(value))));
  const head = el("tr", {}, el("th", { scope: "col" }, "Fact"), el("th", { scope: "col" }, "What the page said"));
  const table = el("table", { class: "facts" }, el("caption", { class: "hidden" }, "Facts"), el("thead", {}, head), el("tbody", {}, ...rows));
  return el("details", {}, el("summary", {}, `All ${plural(rows.length, "fact")}`), table);
}
