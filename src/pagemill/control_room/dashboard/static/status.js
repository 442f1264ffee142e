// The top of the dashboard: the fleet's health in a word with its reason, and six figures.

import { byId, el, say, sync } from "./dom.js";
import { capital, count, percent, plural, rate, size } from "./format.js";

const ICONS = { healthy: "ok", warning: "warning", critical: "critical" };

export function showStatus(picture) {
  const { word, reason } = picture.health;
  const known = word in ICONS ? word : "unknown";
  byId("health").dataset.level = known;
  byId("health-icon").setAttribute("href", `#icon-${ICONS[known] || "unknown"}`);
  say(byId("health-word"), capital(word));
  say(byId("health-reason"), reason || reasonOf(picture));
  sync(byId("tiles"), tiles(picture), (tile) => tile.name, makeTile);
  document.title = `${word === "healthy" ? "" : `(${word}) `}pagemill`;
}

function reasonOf(picture) {
  if (!picture.workers.length) return "No worker runs. Start one with: pagemill worker";
  const dead = picture.workers.filter((each) => !each.alive);
  if (dead.length) return `${plural(dead.length, "worker")} fell silent: ${dead.map((each) => each.name).join(", ")}`;
  const pressed = picture.alive.filter((each) => each.pressure !== "normal");
  if (pressed.length) return pressed.map((each) => `${each.name}: ${each.pressure} (${each.reason})`).join(", ");
  return "All workers are within their limits.";
}

function tiles(picture) {
  const [memory, unit] = size(picture.memoryMb);
  const grave = picture.alerts.filter((each) => each.isGrave).length;
  const dead = picture.workers.length - picture.alive.length;
  return [
    { name: "Throughput", value: rate(picture.itemsPerS), unit: "products/s", more: `${percent(100 * picture.errorRate)} failed`, bad: picture.errorRate >= 0.05 },
    { name: "Memory", value: memory, unit, more: picture.limitMb ? `${percent((100 * picture.memoryMb) / picture.limitMb)} of ${size(picture.limitMb).join(" ")}` : "no limit known" },
    { name: "Batches waiting", value: count(picture.waiting), more: `${count(picture.atWork)} at work` },
    { name: "Visits at work", value: count(picture.lanes), unit: `of ${count(picture.size)}`, more: "places" },
    { name: "Workers", value: count(picture.alive.length), more: dead ? `${count(dead)} silent` : "all answer", bad: dead > 0 },
    { name: "Recent alerts", value: count(picture.alerts.length), more: grave ? `${count(grave)} critical` : "none critical", bad: grave > 0 },
  ];
}

function makeTile(tile) {
  const figure = el("dd", { class: "figure" });
  const number = el("span");
  const unit = el("small");
  figure.append(number, " ", unit);
  const more = el("dd", { class: "more" });
  return {
    node: el("div", {}, el("dt", {}, tile.name), figure, more),
    update(now) {
      say(number, now.value);
      say(unit, now.unit || "");
      say(more, now.more);
      more.classList.toggle("bad", Boolean(now.bad));
    },
  };
}
