// The table of the other processes: schedulers, control APIs, supervisors; including dead ones.

import { byId, el, say, sync } from "./dom.js";
import { count, duration, percent, size } from "./format.js";
import { stateCell } from "./workers.js";

export function showProcesses(picture) {
  sync(byId("processes-rows"), picture.processes, (each) => each.name, makeRow, () =>
    el("tr", {}, el("td", { class: "none", colspan: "8" }, "None has reported lately.")),
  );
}

function makeRow(process) {
  const cells = Object.fromEntries(["state", "pss", "rss", "cpu", "files", "uptime"].map((name) => [name, el("td")]));
  for (const name of ["pss", "rss", "cpu", "files", "uptime"]) cells[name].className = "n";
  const state = stateCell(cells.state);
  const head = el("th", { scope: "row", class: "name" }, process.name);
  const node = el("tr", {}, head, el("td", {}, process.role), ...Object.values(cells));
  return {
    node,
    update(now) {
      node.toggleAttribute("data-gone", !now.alive);
      if (!now.alive) state("critical", "critical", `silent for ${duration(now.silentS)}`);
      else if (now.leads === false) state("good", "pause", "stands by");
      else state("good", "ok", now.leads ? "active" : "running");
      say(cells.pss, size(now.pssMb).join(" "));
      say(cells.rss, size(now.rssMb).join(" "));
      say(cells.cpu, percent(now.cpuPercent));
      say(cells.files, count(now.files));
      say(cells.uptime, duration(now.uptimeS));
    },
  };
}
