// The lists of alerts, events and recommendations, and the trend of memory.

import { byId, el, icon, say, sync } from "./dom.js";
import { capital, moment, plural } from "./format.js";

const ALERT_ICONS = { warning: "warning", critical: "critical", emergency: "critical" };
const SHOWN_FACTS = ["reason", "platform", "uses", "age_s", "freed_mb", "level", "step", "message", "alert", "action"];
const MOST = 60;

export function showAlerts(picture) {
  const grave = picture.alerts.filter((each) => each.isGrave).length;
  say(byId("alerts-note"), picture.alerts.length ? `${plural(picture.alerts.length, "alert")}, ${grave} critical` : "");
  sync(byId("alerts-list"), picture.alerts.slice(0, MOST), (each) => each.id, makeAlert, () =>
    el("li", { class: "none" }, "No alerts."),
  );
}

function makeAlert(alert) {
  const level = alert.level === "info" ? "none" : ALERT_ICONS[alert.level] || "warning";
  const head = el("span", { class: "what" }, `${capital(alert.level)}: ${alert.name}`, alert.about ? ` (${alert.about})` : "");
  const when = el("time", { datetime: alert.at.toISOString() });
  const node = el("li", { "data-level": level }, icon(level === "none" ? "ok" : level), head, when, el("span", { class: "how" }, alert.message));
  return { node, update: () => say(when, moment(alert.at)) };
}

export function showEvents(picture) {
  sync(byId("events-list"), picture.events.slice(0, MOST), (each) => each.id, makeEvent, () =>
    el("li", { class: "none" }, "Nothing has happened lately."),
  );
}

function makeEvent(event) {
  const level = ALERT_ICONS[event.level] || (event.level === "error" ? "critical" : null);
  const facts = SHOWN_FACTS.filter((name) => event.facts[name] !== undefined && event.facts[name] !== null);
  const told = [event.worker, ...facts.map((name) => fact(name, event.facts[name]))].filter(Boolean).join(", ");
  const when = el("time", { datetime: event.at.toISOString() });
  const node = el(
    "li", { "data-level": level || "none" }, icon(level || "turn"), el("span", { class: "what" }, event.event), when,
    el("span", { class: "how" }, told),
  );
  return { node, update: () => say(when, moment(event.at)) };
}

function fact(name, value) {
  if (name === "age_s") return `${value} s old`;
  if (name === "freed_mb") return `${value} MB freed`;
  if (name === "uses") return `${value} uses`;
  return String(value);
}

export function showAdvice(picture) {
  const { word, change } = picture.trend;
  say(byId("trend"), `Memory is ${word} (${change}).`);
  sync(byId("recommendations"), picture.recommendations, (each) => each, (each) => ({ node: el("li", {}, each), update() {} }));
}
