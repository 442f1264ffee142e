// The table of platforms: queue, verdicts, waits and pauses; for admins a button that pauses or resumes.

import { byId, el, icon, say, sync } from "./dom.js";
import { count, duration, percent } from "./format.js";

/** `act.pause(name)` and `act.resume(name)` ask for confirmation and do it. */
export function showPlatforms(picture, act) {
  sync(byId("platforms-rows"), picture.platforms, (each) => each.name, (each) => makeRow(each, act), () =>
    el("tr", {}, el("td", { class: "none", colspan: "10" }, "No platform is configured.")),
  );
}

function paceOf(now) {
  const said = [];
  if (now.pausedS > 0) said.push(`paused for ${duration(now.pausedS)}${now.why ? ` (${now.why})` : ""}`);
  if (now.openS > 0) said.push(`left alone for ${duration(now.openS)} after blocks`);
  if (now.trying) said.push("trying one visit");
  if (now.slow > 1) said.push(`waits ${now.slow.toFixed(1)} times as long`);
  return said.join(", ");
}

function makeRow(platform, act) {
  const names = ["waiting", "atWork", "failed", "products", "good", "blocked", "wait"];
  const cells = Object.fromEntries(names.map((name) => [name, el("td", { class: "n" })]));
  const paceText = el("span");
  const paceSign = el("span", { class: "state" }, paceText);
  const pace = el("td", { class: "text" }, paceSign);
  const label = el("span");
  const button = el("button", { type: "button", class: "small" });
  let paused = null;
  let shown = null;
  button.addEventListener("click", () => (paused ? act.resume(platform.name) : act.pause(platform.name)));
  const node = el(
    "tr", {}, el("th", { scope: "row", class: "name" }, platform.name), ...Object.values(cells), pace,
    el("td", { class: "n admin" }, button),
  );
  return {
    node,
    update(now) {
      say(cells.waiting, count(now.waiting));
      say(cells.atWork, count(now.atWork));
      say(cells.failed, count(now.failed));
      say(cells.products, count(now.products));
      say(cells.good, now.products ? percent((100 * now.good) / now.products) : "");
      say(cells.blocked, now.products ? percent((100 * (now.verdicts.blocked || 0)) / now.products) : "");
      say(cells.wait, now.waitS ? duration(now.waitS) : "");
      const words = paceOf(now);
      const sign = words ? (now.pausedS > 0 || now.openS > 0 ? "pause" : "warning") : "";
      if (shown !== sign) {
        paceSign.replaceChildren(...(sign ? [icon(sign)] : []), paceText);
        paceSign.dataset.level = sign ? "warning" : "none";
        shown = sign;
      }
      say(paceText, words || "as configured");
      if (paused !== now.pausedS > 0) {
        paused = now.pausedS > 0;
        button.replaceChildren(icon(paused ? "play" : "pause"), label);
        label.textContent = paused ? "Resume" : "Pause";
        button.setAttribute("aria-label", `${paused ? "Resume" : "Pause"} ${platform.name}`);
      }
    },
  };
}
