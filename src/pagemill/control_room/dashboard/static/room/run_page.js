// One run: its progress while it is at work, and its results.

import { read, Refused } from "../api.js";
import { byId, say } from "../dom.js";
import { count, duration, moment, plural } from "../format.js";
import { Poll } from "../poll.js";
import { answered, asking } from "../shell.js";
import { apiRun } from "./addresses.js";
import { platformsOf } from "./configured.js";
import { showMissing } from "./missing.js";
import { Results } from "./results.js";
import { offerActions } from "./run_actions.js";
import { isOver, progressText, stateSign, verdictBar, verdictText } from "./run_row.js";

const EVERY_MS = 2000;
const LEAST_FOR_PACE_S = 10;

export class RunPage {
  #id;
  #results;
  #first = null;
  #done = null;
  #tellState = stateSign(byId("run-state"));
  #drawBar = verdictBar(byId("run-bar"));
  #polls = new Poll(() => asking(() => this.#look()), EVERY_MS);

  constructor({ run }) {
    this.#id = run;
    this.#results = new Results(run);
    document.title = `${run} - pagemill`;
    say(byId("run-name"), run);
  }

  enter() {
    this.#done = null;
    this.#polls.start();
  }

  leave() {
    this.#polls.stop();
  }

  async #look() {
    let run;
    try {
      run = await read(apiRun(this.#id));
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) throw error;
      answered();
      this.#polls.stop();
      return showMissing("run-view", "There is no such run");
    }
    this.#first ??= { at: Date.now(), done: run.done };
    this.#show(run, await platformsOf(run));
    if (this.#done !== run.done) await this.#results.look(run);
    this.#done = run.done;
    if (isOver(run)) this.#polls.stop();
    return undefined;
  }

  #show(run, platforms) {
    this.#tellState(run);
    this.#drawBar(run);
    const told = [progressText(run), verdictText(run)].filter(Boolean).join(": ");
    say(byId("run-told"), `${told}.${this.#toCome(run)}`);
    const about = [`${run.platform}, from ${run.source}, begun ${moment(new Date(run.created_at))}`];
    if (run.skipped) about.push(`${plural(run.skipped, "bad row")} passed over`);
    if (run.broken_off_at) about.push(`its enqueueing broke off ${moment(new Date(run.broken_off_at))}`);
    if (run.cancelled_at) about.push(`cancelled ${moment(new Date(run.cancelled_at))}`);
    if (run.cancelled_at && run.missing) about.push(`${count(run.missing)} without a result`);
    say(byId("run-about"), `${about.join("; ")}.`);
    offerActions(run, platforms, () => {
      this.#polls.start();
      this.#polls.now();
    });
  }

  /** Estimated from the work done since the page was opened. */
  #toCome(run) {
    if (isOver(run) || !run.missing) return "";
    const seconds = (Date.now() - this.#first.at) / 1000;
    const done = run.done - this.#first.done;
    if (seconds < LEAST_FOR_PACE_S || !done) return ` ${count(run.missing)} to come.`;
    return ` ${count(run.missing)} to come, about ${duration((run.missing * seconds) / done)} at this pace.`;
  }
}
