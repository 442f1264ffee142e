// Each field with the places where it was found: their values on every page, and which one comes first in the file.

import { byId, el, say, sync } from "../dom.js";
import { capital, words } from "../format.js";
import { mayChange } from "../shell.js";
import { shown } from "./values.js";

const GOOD = ["sure", "likely"];

/** `choose(field, number)` is called when the user selects another place. */
export function showFields({ id, draft }, choose) {
  sync(byId("draft-fields"), draft.fields, (field) => `${id}/${field.field}`, (field) => makeField(field, draft.pages, choose));
}

function makeField(first, pages, choose) {
  const state = el("span", { class: "state" });
  const why = el("span", { class: "sub" });
  const boxes = first.places.map((_place, number) => {
    const box = el("input", { type: "radio", name: `place-${first.field}`, id: `place-${first.field}-${number}`, value: number, disabled: !mayChange() });
    box.addEventListener("change", () => choose(first.field, number));
    return box;
  });
  const inner = first.places.length ? [tableOf(first, pages, boxes)] : [el("p", { class: "note" }, "No place was found. Say what the first page has, or name more pages.")];
  const node = el("details", { class: "draft-field", open: !GOOD.includes(first.sureness) || first.field === "price" }, el("summary", {}, el("strong", {}, words(first.field)), " ", state, " ", why), ...inner);
  return {
    node,
    update(field) {
      state.dataset.level = { sure: "good", likely: "good" }[field.sureness] || "warning";
      say(state, field.sureness);
      say(why, field.why);
      boxes.forEach((box, number) => (box.checked = field.chosen[0] === number));
      boxes.forEach((box, number) => box.closest("tr").toggleAttribute("data-spare", field.chosen.includes(number)));
    },
  };
}

function tableOf(field, pages, boxes) {
  const heads = ["Place", ...pages.map((_page, at) => `Page ${at + 1}`)];
  const rows = field.places.map((place, number) => {
    const name = el("label", { for: boxes[number].id }, boxes[number], el("span", {}, capital(place.why), el("code", {}, ruleOf(place))));
    const values = place.values.map((value, at) => el("td", { class: "text", "data-label": heads[at + 1] }, value === null ? el("span", { class: "sub" }, "nothing") : shown(value)));
    return el("tr", {}, el("th", { scope: "row" }, name), ...values);
  });
  const head = el("tr", {}, ...heads.map((each) => el("th", { scope: "col" }, each)));
  const table = el("table", { class: "places" }, el("caption", { class: "hidden" }, `Places of ${words(field.field)}`), el("thead", {}, head), el("tbody", {}, ...rows));
  return el("div", { class: "scroll", role: "radiogroup", "aria-label": `Place of ${words(field.field)}` }, table);
}

/** The rule in short: where it looks, and what it does with the value. */
function ruleOf(place) {
  const { selector, path, ...rest } = place.rule;
  const more = Object.entries(rest).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [`${place.source}: ${selector ?? path ?? ""}`, place.where, ...more].filter(Boolean).join(", ");
}
