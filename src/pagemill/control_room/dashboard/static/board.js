// The board itself: what it shows now, over which time and of which worker.

import { byId, el } from "./dom.js";
import { drawLanes, drawMemory, drawThroughput, drawVerdicts } from "./charts.js";
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
  #act;
  #drawing = false;
  #drawAgain = false;
  period = "hourly";
  worker = "";

  /** `act` is what the tables' buttons do; `chosen()` is called when other points over time are wanted. */
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

  /** `fleet` are the points of all workers, `own` those that the memory chart shows, `events` what it marks. */
  showHistory(fleet, own, events) {
    this.#fleet = fleet;
    this.#own = own;
    this.#events = events;
    this.draw();
  }

  /** Draws all charts; asked again meanwhile, it draws once more afterwards. */
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
  }

  #offerWorkers(workers) {
    const choice = byId("worker-choice");
    const names = workers.map((each) => each.name);
    // One that has ended stays on offer as long as it is looked at.
    if (this.worker && !names.includes(this.worker)) names.push(this.worker);
    const offered = [...choice.options].slice(1).map((option) => option.value);
    if (names.join("\n") === offered.join("\n")) return;
    choice.replaceChildren(choice.options[0], ...names.map((name) => el("option", { value: name }, name)));
    choice.value = this.worker;
  }
}
