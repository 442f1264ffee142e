// The list of runs, and the form to begin one.

import { read } from "../api.js";
import { byId, el, sync } from "../dom.js";
import { Poll } from "../poll.js";
import { asking } from "../shell.js";
import { query } from "./addresses.js";
import { setUpBegin } from "./begin.js";
import { makeRunRow } from "./run_row.js";

const EVERY_MS = 3000;
const SHOWN = 20;

export class RunsPage {
  #next = "";
  #polls = new Poll(() => asking(() => this.#look()), EVERY_MS);
  #platforms = [];

  constructor() {
    document.title = "Runs - pagemill";
    byId("runs-platform").addEventListener("change", (event) => this.#go({ platform: event.target.value }));
    byId("runs-first").addEventListener("click", () => this.#go({ platform: this.#wanted.platform }));
    byId("runs-next").addEventListener("click", () => this.#go({ platform: this.#wanted.platform, before: this.#next }));
    addEventListener("popstate", () => this.#polls.now());
    setUpBegin(() => this.#platforms, () => this.#polls.now());
  }

  enter() {
    this.#offerPlatforms();
    this.#polls.start();
  }

  leave() {
    this.#polls.stop();
  }

  get #wanted() {
    const said = new URLSearchParams(location.search);
    return { platform: said.get("platform") || "", before: said.get("before") || "" };
  }

  #go(wanted) {
    history.pushState(null, "", `${location.pathname}${query(wanted)}`);
    this.#polls.now();
  }

  async #look() {
    const wanted = this.#wanted;
    const found = await read(`/api/v1/runs${query({ ...wanted, limit: SHOWN })}`);
    if (JSON.stringify(wanted) !== JSON.stringify(this.#wanted)) return this.#polls.now();
    this.#next = found.next_before;
    sync(byId("runs-list"), found.runs, (run) => run.run, makeRunRow, () =>
      el("li", { class: "none" }, wanted.platform ? "There is no run of this platform." : "There is no run yet. Drop a catalogue here, or use: pagemill enqueue"),
    );
    byId("runs-platform").value = wanted.platform;
    byId("runs-first").disabled = !wanted.before;
    byId("runs-next").disabled = !this.#next;
    return undefined;
  }

  async #offerPlatforms() {
    try {
      this.#platforms = (await read("/api/v1/platforms")).platforms.map((each) => each.platform);
    } catch {
      return; // the list of runs shows the error
    }
    const choice = byId("runs-platform");
    const chosen = this.#wanted.platform;
    // A platform that is no longer configured may still have runs, and so may a catalogue of several platforms.
    const names = [...new Set([...this.#platforms, "auto", ...(chosen ? [chosen] : [])])];
    choice.replaceChildren(choice.options[0], ...names.map((name) => el("option", { value: name }, name)));
    choice.value = chosen;
  }
}
