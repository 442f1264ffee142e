// A run's progress: in words, as a bar of its verdicts, and as one line of the list.

import { el, icon, say } from "../dom.js";
import { count, moment, percent, plural, words } from "../format.js";
import { VERDICTS } from "../picture.js";
import { runAddress } from "./addresses.js";

const STATES = {
  queueing: { name: "being queued", icon: "turn", level: "none" },
  at_work: { name: "at work", icon: "play", level: "good" },
  complete: { name: "complete", icon: "ok", level: "good" },
  incomplete: { name: "incomplete", icon: "critical", level: "critical" },
  cancelled: { name: "cancelled", icon: "pause", level: "warning" },
};

export const isOver = (run) => run.state === "complete" || run.state === "cancelled";

/** Makes an element show a run's state. */
export function stateSign(place) {
  let drawn = null;
  return (run) => {
    if (drawn === run.state) return;
    drawn = run.state;
    const state = STATES[run.state] || { name: words(run.state), icon: "unknown", level: "none" };
    place.dataset.level = state.level;
    place.replaceChildren(icon(state.icon), el("span", {}, state.name));
  };
}

/** Makes an element a bar of verdicts. Its full width stands for all products of the run. */
export function verdictBar(place) {
  const parts = new Map(VERDICTS.map((verdict) => [verdict, el("span", { style: `background: var(--verdict-${verdict})` })]));
  place.replaceChildren(...parts.values());
  return (run) => {
    const whole = Math.max(run.products ?? 0, run.done, 1);
    for (const [verdict, part] of parts) part.style.width = `${(100 * (run.verdicts[verdict] || 0)) / whole}%`;
  };
}

/** "80 of 120 products, 67 %". */
export function progressText(run) {
  if (run.products === null) return `${plural(run.done, "product")} done, still being queued`;
  if (!run.products) return "no products";
  return `${count(run.done)} of ${plural(run.products, "product")}, ${percent((100 * run.done) / run.products)}`;
}

/** "71 ok, 8 changed". */
export const verdictText = (run) =>
  VERDICTS.filter((verdict) => run.verdicts[verdict]).map((verdict) => `${count(run.verdicts[verdict])} ${words(verdict)}`).join(", ");

export function makeRunRow(run) {
  const state = el("span", { class: "state" });
  const bar = el("div", { class: "shares", "aria-hidden": "true" });
  const progress = el("span", { class: "done" });
  const verdicts = el("span", { class: "sub told" });
  const link = el("a", { href: runAddress(run.run), class: "whole" }, run.run);
  const from = `${run.platform}, from ${run.source}, ${moment(new Date(run.created_at))}`;
  const tellState = stateSign(state);
  const draw = verdictBar(bar);
  return {
    node: el("li", {}, el("div", { class: "what" }, link, el("span", { class: "sub" }, from)), el("div", { class: "how" }, progress, bar, verdicts), state),
    update(now) {
      tellState(now);
      draw(now);
      say(progress, progressText(now));
      say(verdicts, verdictText(now) || "no results yet");
    },
  };
}
