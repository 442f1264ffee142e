// Shows values from pages. All of them are foreign text: they stay text, and links lead only to http and https.

import { el } from "../dom.js";
import { count, words } from "../format.js";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** One value of a fact. */
export function shown(value) {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "number") return number.format(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

/** A link to a page of a shop, or the address as text if it is not a link. */
export function outside(address) {
  let parsed = null;
  try {
    parsed = new URL(address);
  } catch { /* then it is text */ }
  if (!parsed || !["http:", "https:"].includes(parsed.protocol)) return el("span", { class: "address" }, address || "none");
  return el("a", { class: "address", href: parsed.href, rel: "noreferrer noopener nofollow", target: "_blank" }, address);
}

/** A verdict's badge: its colour and its word. */
export function badge(verdict) {
  return el("span", { class: "badge", style: `--hue: var(--verdict-${verdict})` }, words(verdict));
}

/** "price 12,900 → 9,900". `from` and `to` are pairs: a word for screen readers, and a value. */
export const step = (name, from, to) =>
  el(
    "li", {}, el("span", { class: "field-name" }, `${name} `), el("span", { class: "hidden" }, `${from[0]} `), el("del", {}, shown(from[1])),
    el("span", { "aria-hidden": "true" }, " → "), el("span", { class: "hidden" }, `, ${to[0]} `), el("ins", {}, shown(to[1])),
  );

/** "price 12,900 → 9,900" for each difference; screen readers say expected and found. */
export function differences(result, most = Infinity) {
  const told = result.differences.slice(0, most).map((each) => step(each.field, ["expected", each.expected], ["found", each.found]));
  const rest = result.differences.length - told.length;
  if (rest > 0) told.push(el("li", { class: "sub" }, `and ${count(rest)} more`));
  return el("ul", { class: "differences" }, ...told);
}

/** The product's name on its page; empty without one. */
export const nameOf = (result) => (typeof result.facts.name === "string" ? result.facts.name : "");
