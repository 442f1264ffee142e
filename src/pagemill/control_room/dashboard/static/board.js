// The dashboard: the current figures, the period of the charts, and the selected worker.

import { byId, el } from "./dom.js";
import { drawLanes, drawMeasure, drawMemory, drawThroughput, drawVerdicts } from "./charts.js";
import { capital, words } from "./format.js";
import { showAdvice, showAlerts, showEvents } from "./lists.js";
import { showPlatforms } from "./platforms.js";
import { showProcesses } from "./processes.js";
import { showStatus } from "./status.js";
import { showWorkers } from "./workers.js";

export class Board {
  #picture = null;
  #fleet = [];
  #own = [];
  #events = [];
  #measures = [];
  #act;
  #drawing = false;
  #drawAgain = false;
  period = "hourly";
  worker = "";

  /** `act` has the actions of the tables' buttons; `chosen()` is called when the period or the worker changes. */
  constructor(act, chosen) {
    this.#act = act;
    byId("period").addEventListener("change", (event) => {
      this.period = event.target.value;
      chosen();
    });
    byId("worker-choice").addEventListener("change", (event) => {
      this.worker = event.target.value;
      chosen();
    });
    byId("measure-choice").addEventListener("change", () => this.draw());
  }

  showPicture(picture) {
    this.#picture = picture;
    showStatus(picture);
    showAlerts(picture);
    showPlatforms(picture, this.#act);
    showWorkers(picture);
    showProcesses(picture);
    showAdvice(picture);
    showEvents(picture);
    this.#offerWorkers(picture.workers);
    this.draw();
  }

  /**
   * `fleet`: the points of all workers; `own`: the points of the selected worker, or of all; `events`: the marks of the
   * memory chart; `measures`: the measures that a point may have.
   */
  showHistory(fleet, own, events, measures) {
    this.#fleet = fleet;
    this.#own = own;
    this.#events = events;
    this.#measures = measures;
    offer(byId("measure-choice"), measures.map((each) => each.name), (name) => capital(words(name)));
    this.draw();
  }

  /** Draws all charts. If it is called during that, it draws once more afterwards. */
  async draw() {
    if (!this.#picture) return;
    if (this.#drawing) {
      this.#drawAgain = true;
      return;
    }
    this.#drawing = true;
    try {
      do {
        this.#drawAgain = false;
        await this.#drawOnce();
      } while (this.#drawAgain);
    } finally {
      this.#drawing = false;
    }
  }

  async #drawOnce() {
    const picture = this.#picture;
    const chosen = picture.workers.find((each) => each.name === this.worker);
    const view = { period: this.period, choice: this.worker, now: picture.at };
    await drawMemory(this.#own, this.#events, { ...view, limitMb: chosen ? chosen.limitMb : picture.limitMb });
    await drawThroughput(this.#fleet, view);
    await drawLanes(this.#fleet, view, picture.size);
    await drawVerdicts(picture.platforms);
    const measure = this.#measures.find((each) => each.name === byId("measure-choice").value);
    if (measure) await drawMeasure(this.#own, measure, view);
  }

  #offerWorkers(workers) {
    const choice = byId("worker-choice");
    const names = workers.map((each) => each.name);
    // A worker that has ended can be selected as long as it is shown.
    if (this.worker && !names.includes(this.worker)) names.push(this.worker);
    offer(choice, ["", ...names], (name) => name || choice.options[0].textContent);
    choice.value = this.worker;
  }
}

/** Makes a selection offer these values, and keeps the present one if it is among them. */
function offer(choice, values, nameOf) {
  if (values.join("\n") === [...choice.options].map((option) => option.value).join("\n")) return;
  const chosen = choice.value;
  choice.replaceChildren(...values.map((value) => el("option", { value }, nameOf(value))));
  if (values.includes(chosen)) choice.value = chosen;
}
