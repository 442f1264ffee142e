// What the drafted file read on each page, and what is not good enough yet.

import { byId, el, say, sync } from "../dom.js";
import { words } from "../format.js";
import { badge, outside } from "./values.js";

export function showPages({ id, draft }) {
  const told = draft.tried
    ? "The file was tried on these pages."
    : "With what you have chosen it was not tried; these are the verdicts from before. Once the file is in its place, pagemill try does it.";
  say(byId("draft-tried"), told);
  const pages = draft.pages.map((page, at) => ({ ...page, number: at + 1 }));
  sync(byId("draft-pages"), pages, (page) => `${id}/${page.number}`, makePage);
  byId("draft-lacking").replaceChildren(...(draft.tried ? draft.lacking.map((line) => el("li", {}, line)) : []));
}

function makePage(page) {
  const right = page.right ? "as it should be" : "not what it should be";
  const why = [right, page.reason, ...page.troubles].filter(Boolean).join("; ");
  return {
    node: el("li", {}, el("div", { class: "what" }, outside(page.url), el("span", { class: "sub" }, `Page ${page.number}, said to be ${words(page.role)}`)), el("div", { class: "how" }, badge(page.verdict), el("span", { class: page.right ? "sub" : "wrong" }, why))),
    update() {},
  };
}
