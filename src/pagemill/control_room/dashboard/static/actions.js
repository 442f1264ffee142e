// The actions of an admin. Each asks first and reports its outcome; the server decides whether it is allowed.

import { change, read, Unreachable } from "./api.js";
import { ask, field, tell } from "./dialog.js";
import { byId, el, say } from "./dom.js";
import { count, duration, plural } from "./format.js";
import { thresholdFields } from "./thresholds.js";

const RESTART = "/api/v2/system/restart-all";
const RESTART_MS = 3000;
const PAUSE_MINUTES = 15;

/** Shows the buttons. `refresh()` makes the page show changes at once. */
export function setUpActions(refresh) {
  const buttons = [
    ["Clean up memory", () => optimize("memory", "Clean up memory?", "Every worker collects garbage, trims its caches, and replaces its contexts after the visits under way.", refresh)],
    ["Collect garbage", () => collect(refresh)],
    ["Trim caches", () => optimize("cache", "Trim caches?", "Every registered cache of every worker gives up a share of its entries.", refresh)],
    ["Replace browsers", () => optimize("cleanup", "Replace browsers?", "For emergencies: every worker closes idle pages and replaces browser and driver. Visits under way are finished first.", refresh)],
    ["Change thresholds", () => changeThresholds(refresh)],
    ["Restart all", () => restart(refresh)],
  ];
  byId("actions-buttons").replaceChildren(
    ...buttons.map(([name, act]) => {
      const button = el("button", { type: "button" }, name);
      button.addEventListener("click", act);
      return button;
    }),
  );
}

function optimize(type, title, text, refresh) {
  ask({
    title, text, confirm: "Do it",
    async act() {
      const done = await change("POST", "/api/performance/optimize", { type });
      refresh();
      const failed = Object.entries(done.failed).map(([worker, why]) => `${worker}: ${why}`);
      const said = `${plural(done.done.length, "worker")} did it in ${duration(done.seconds)}: ${count(done.memoryFreedMb)} MB freed, ${count(done.gcCollected)} objects collected, ${count(done.cacheCleaned)} cache entries dropped.`;
      return failed.length ? `${said} Not done by ${failed.join("; ")}.` : said;
    },
  });
}

function collect(refresh) {
  ask({
    title: "Collect garbage?", text: "Every worker runs Python's garbage collector. It stands still for some milliseconds.", confirm: "Collect",
    async act() {
      const done = await change("POST", "/api/v1/memory/gc");
      refresh();
      return `${done.message}.`;
    },
  });
}

export function pause(name, refresh) {
  const minutes = field("ask-minutes", "Minutes", { type: "number", min: "1", max: "1440", step: "1", value: String(PAUSE_MINUTES), required: true });
  ask({
    title: `Pause ${name}?`, text: "No worker of the fleet visits it for that long. Visits under way are finished.", confirm: "Pause", fields: [minutes.node],
    async act() {
      const done = await change("POST", `/api/performance/platforms/${encodeURIComponent(name)}/pause`, { minutes: Number(minutes.input.value) });
      refresh();
      return `${name} is paused for ${duration(done.pausedSeconds)}.`;
    },
  });
}

export function resume(name, refresh) {
  ask({
    title: `Resume ${name}?`, text: "Workers visit it again at its usual pace, also where the shop itself had asked for the pause.", confirm: "Resume",
    async act() {
      await change("POST", `/api/performance/platforms/${encodeURIComponent(name)}/resume`);
      refresh();
      return `${name} is visited again.`;
    },
  });
}

async function changeThresholds(refresh) {
  let inForce = {};
  try {
    inForce = (await read("/api/performance/thresholds")).thresholds;
  } catch (failure) {
    tell(failure.message, "critical");
  }
  const fields = thresholdFields(inForce);
  ask({
    title: "Change alert thresholds", text: "For the whole fleet, until they are changed again. What is left empty stays as it is.", confirm: "Change", fields: [fields.node],
    async act() {
      const done = await change("PUT", "/api/performance/thresholds", { thresholds: fields.read() });
      refresh();
      const idle = done.withoutRule.length ? ` No rule is about ${done.withoutRule.join(", ")}.` : "";
      return `The thresholds are in force.${idle}`;
    },
  });
}

function restart(refresh) {
  ask({
    title: "Restart all?", text: "One after another: each worker finishes its visits, gives the rest of its batch back and ends; whoever started it starts a fresh one. Then the schedulers and the control API, which come back by themselves: this page loses its connection for some seconds.", confirm: "Restart",
    async act() {
      await change("POST", RESTART);
      refresh();
      watchRestart();
      return "The restart has begun; the actions say how far it is.";
    },
  });
}

let watching = null;

/** Shows a restart that somebody else has started; its workers drain one after another. */
export function noticeRestart(picture) {
  if (watching === null && !byId("restart-note").textContent && picture.alive.some((each) => each.draining)) watchRestart();
}

/** Shows the progress of a restart until it has ended. */
export async function watchRestart() {
  clearTimeout(watching);
  watching = null;
  const note = byId("restart-note");
  let told = null;
  try {
    told = await read(RESTART);
  } catch (failure) {
    // There is no restart, or the API is restarting itself; the page's other requests report any other error.
    if (note.textContent && failure instanceof Unreachable) watching = setTimeout(watchRestart, RESTART_MS);
    return;
  }
  const steps = [...told.workers, ...told.processes];
  const returning = told.state === "done" && steps.some((each) => each.state === "restarting");
  if (told.state === "running" || returning) {
    const done = steps.filter((each) => each.state === "done").length;
    say(note, `Restarting: ${count(done)} of ${count(steps.length)} done`);
    watching = setTimeout(watchRestart, RESTART_MS);
  } else if (note.textContent) {
    say(note, "");
    if (told.state === "done") tell("The fleet has been restarted.");
    else tell(`The restart ended: ${told.message || told.state}`, "critical");
  }
}
