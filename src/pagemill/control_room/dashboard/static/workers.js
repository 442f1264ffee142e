// The table of workers, including dead ones.

import { byId, el, icon, say, sync } from "./dom.js";
import { count, duration, percent, plural, rate, size } from "./format.js";

const PRESSURES = { normal: "none", warning: "warning", cleanup: "warning", critical: "critical", emergency: "critical" };

export function showWorkers(picture) {
  sync(byId("workers-rows"), picture.workers, (each) => each.name, makeRow, () =>
    el("tr", {}, el("td", { class: "none", colspan: "9" }, "No worker runs. Start one with: pagemill worker")),
  );
  say(byId("workers-note"), plural(picture.alive.length, "alive worker"));
}

function makeRow(worker) {
  const cells = Object.fromEntries(
    ["state", "memory", "pressure", "lanes", "cpu", "rate", "work", "rotations"].map((name) => [name, el("td")]),
  );
  for (const name of ["lanes", "cpu", "rate"]) cells[name].className = "n";
  cells.work.className = cells.rotations.className = "text";
  const state = stateCell(cells.state);
  const pressure = stateCell(cells.pressure);
  const memory = memoryCell(cells.memory);
  const node = el("tr", {}, el("th", { scope: "row", class: "name" }, worker.name), ...Object.values(cells));
  return {
    node,
    update(now) {
      node.toggleAttribute("data-gone", !now.alive);
      if (!now.alive) state("critical", "critical", `silent for ${duration(now.silentS)}`);
      else if (now.draining) state("warning", "pause", "draining");
      else state("good", "ok", now.batches.length ? "at work" : "idle");
      memory(now);
      const level = PRESSURES[now.pressure] || "none";
      const said = now.pressure === "normal" || !now.reason ? now.pressure : `${now.pressure}: ${now.reason}`;
      pressure(level, level === "none" ? null : level, said);
      say(cells.lanes, `${count(now.lanes)} / ${count(now.size)}`);
      say(cells.cpu, percent(now.cpuPercent || 0));
      say(cells.rate, rate(now.itemsPerS || 0));
      say(cells.work, now.batches.map((batch) => `${batch.platform}: ${count(batch.done)} of ${count(batch.products)}`).join(", "));
      say(cells.rotations, Object.entries(now.rotations).filter(([, number]) => number).map(([level, number]) => `${level} ${count(number)}`).join(", "));
    },
  };
}

/** Makes a cell show a state: `(level, icon, words)`. */
export function stateCell(cell) {
  const text = el("span");
  const place = el("span", { class: "state" }, text);
  cell.append(place);
  let shown = null;
  return (level, name, words) => {
    place.dataset.level = level;
    if (shown !== name) {
      place.replaceChildren(...(name ? [icon(name)] : []), text);
      shown = name;
    }
    say(text, words);
  };
}

function memoryCell(cell) {
  const text = el("span");
  const fill = el("span");
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, fill);
  cell.append(el("span", { class: "meter" }, text, bar));
  return (now) => {
    const share = now.memoryPercent ?? (now.limitMb ? (100 * now.memoryMb) / now.limitMb : null);
    const used = size(now.memoryMb).join(" ");
    say(text, share === null ? used : `${used}, ${percent(share)}`);
    bar.hidden = share === null;
    fill.style.width = `${Math.min(100, share || 0)}%`;
    bar.dataset.level = share >= 85 ? "critical" : share >= 70 ? "warning" : "normal";
  };
}
