// The form for alert thresholds: names, units and limits of `PUT /api/performance/thresholds`.

import { el } from "./dom.js";

const METRICS = [
  { name: "responseTime", label: "Time per product", unit: "ms", share: false },
  { name: "memoryUsage", label: "Memory", unit: "%", share: true },
  { name: "cpuUsage", label: "CPU", unit: "%", share: true },
  { name: "eventLoopDelay", label: "Event loop delay", unit: "ms", share: false },
  { name: "errorRate", label: "Failed products", unit: "%", share: true },
];

/**
 * The fields, and `read()`: the entered values in the API's units. `read()` throws if only one of a pair is filled in.
 * `inForce` are the present thresholds, by name and level; empty fields show them.
 */
export function thresholdFields(inForce) {
  const inputs = METRICS.map((metric) => ({ metric, warning: input(metric, "warning", inForce), critical: input(metric, "critical", inForce) }));
  const rows = inputs.map(({ metric, warning, critical }) =>
    el("tr", {}, el("th", { scope: "row" }, `${metric.label} (${metric.unit})`), el("td", {}, warning), el("td", {}, critical)),
  );
  const head = el("tr", {}, el("th", { scope: "col" }, "Threshold"), el("th", { scope: "col" }, "Warning"), el("th", { scope: "col" }, "Critical"));
  const node = el("table", {}, el("caption", { class: "hidden" }, "New thresholds"), el("thead", {}, head), el("tbody", {}, ...rows));
  return { node, read: () => wanted(inputs) };
}

function input(metric, level, inForce) {
  const value = inForce[metric.name]?.[level];
  return el("input", {
    type: "number", min: "0", step: "any", inputmode: "decimal", placeholder: value === undefined ? "unchanged" : String(+(value * (metric.share ? 100 : 1)).toFixed(4)), "aria-label": `${metric.label}, ${level}, in ${metric.unit === "%" ? "percent" : "milliseconds"}`,
    max: metric.share ? "100" : null,
  });
}

function wanted(inputs) {
  const found = {};
  for (const { metric, warning, critical } of inputs) {
    if (!warning.value && !critical.value) continue;
    if (!warning.value || !critical.value) throw new Error(`${metric.label}: fill in both warning and critical, or none of them.`);
    const factor = metric.share ? 100 : 1;
    found[metric.name] = { warning: Number(warning.value) / factor, critical: Number(critical.value) / factor };
  }
  if (!Object.keys(found).length) throw new Error("Nothing was filled in: give at least one threshold, or cancel.");
  return found;
}
