// The results of one run, in pages, filtered by verdict, field and text. The filter is kept in the page's address.

import { read, ROOT } from "../api.js";
import { tell } from "../dialog.js";
import { byId, el, say, sync } from "../dom.js";
import { count, plural, words } from "../format.js";
import { VERDICTS } from "../picture.js";
import { asking } from "../shell.js";
import { apiRun, query } from "./addresses.js";
import { platformsOf } from "./configured.js";
import { makeResult } from "./result.js";

const SHOWN = 50;
const REST_MS = 300;

export class Results {
  #id;
  #run = null;
  #results = [];
  #next = "";
  #asked = 0;
  #resting = null;
  #fieldsOf = "";

  constructor(id) {
    this.#id = id;
    const search = byId("results-search");
    byId("results-filter").addEventListener("submit", (event) => event.preventDefault());
    byId("results-verdicts").addEventListener("change", (event) => this.#go({ verdict: event.target.value, after: "" }));
    byId("results-field").addEventListener("change", (event) => this.#go({ field: event.target.value, after: "" }));
    search.addEventListener("input", () => {
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => this.#go({ search: search.value.trim(), after: "" }, { typing: true }), REST_MS);
    });
    byId("results-next").addEventListener("click", () => this.#go({ after: this.#next }));
    byId("results-previous").addEventListener("click", () => (history.state?.page ? history.back() : this.#go({ after: "" })));
    addEventListener("popstate", () => this.#load());
  }

  /** Shows the results that exist by now. */
  async look(run) {
    this.#run = run;
    await this.#offerFields();
    await this.#read();
  }

  get #wanted() {
    const said = new URLSearchParams(location.search);
    return Object.fromEntries(["verdict", "field", "search", "after"].map((name) => [name, said.get(name) || ""]));
  }

  #go(changes, { typing = false } = {}) {
    const wanted = { ...this.#wanted, ...changes };
    const address = `${location.pathname}${query(wanted)}`;
    const state = { page: wanted.after ? (history.state?.page || 0) + 1 : 0 };
    if (typing) history.replaceState(state, "", address);
    else history.pushState(state, "", address);
    this.#load();
  }

  async #load() {
    if (!this.#run) return;
    try {
      await asking(() => this.#read());
    } catch (error) {
      tell(`The results were not read: ${error.message}`, "critical");
    }
  }

  async #read() {
    const asked = ++this.#asked;
    const wanted = this.#wanted;
    this.#showFilter(wanted);
    const found = [];
    let next = wanted.after;
    // Each answer to a search covers a part of the run, so it may have fewer results than a page.
    do {
      const page = await read(`${apiRun(this.#id)}/results${query({ ...wanted, after: next, limit: SHOWN - found.length })}`);
      if (asked !== this.#asked) return;
      found.push(...page.results);
      next = page.next_after;
      if (next && found.length < SHOWN) say(byId("results-note"), `Searching: ${count(found.length)} found, up to ${next} ...`);
    } while (next && found.length < SHOWN);
    this.#results = found;
    this.#next = next;
    this.#show(wanted);
  }

  #show(wanted) {
    sync(byId("results-list"), this.#results, (each) => each.product_id, (each) => makeResult(each, (field) => this.#go({ field, after: "" })), () =>
      el("li", { class: "none" }, this.#run.done ? "No result has all of these marks." : "No result yet."),
    );
    byId("results-previous").disabled = !wanted.after;
    byId("results-next").disabled = !this.#next;
    const whole = wanted.verdict ? this.#run.verdicts[wanted.verdict] || 0 : this.#run.done;
    const known = !wanted.search && !wanted.field;
    const behind = wanted.after ? `, behind ${wanted.after}` : "";
    say(byId("results-note"), known ? `${count(this.#results.length)} of ${plural(whole, "result")} shown${behind}` : `${plural(this.#results.length, "result")}${this.#next ? ", and perhaps more" : ""}${behind}`);
  }

  #showFilter(wanted) {
    const { verdicts, done } = this.#run;
    const offered = [{ value: "", label: "All", number: done }, ...VERDICTS.map((verdict) => ({ value: verdict, label: words(verdict), number: verdicts[verdict] || 0 }))];
    sync(byId("results-verdicts"), offered.filter((each) => each.number || each.value === wanted.verdict || !each.value), (each) => each.value || "all", makeChip);
    for (const radio of byId("results-verdicts").querySelectorAll("input")) radio.checked = radio.value === wanted.verdict;
    const search = byId("results-search");
    if (document.activeElement !== search) search.value = wanted.search;
    const field = byId("results-field");
    if (wanted.field && ![...field.options].some((option) => option.value === wanted.field)) field.append(el("option", { value: wanted.field }, wanted.field));
    field.value = wanted.field;
    const { after: _after, ...marks } = wanted;
    const place = byId("results-export");
    place.href = `${ROOT}${apiRun(this.#id)}/results${query({ ...marks, format: "jsonl" })}`;
    place.download = `${this.#id}.jsonl`;
  }

  async #offerFields() {
    if (this.#fieldsOf === this.#run.platform) return;
    const own = await platformsOf(this.#run);
    const names = [...new Set(own.flatMap((each) => each.fields))].sort();
    const choice = byId("results-field");
    choice.replaceChildren(choice.options[0], ...names.map((name) => el("option", { value: name }, name)));
    this.#fieldsOf = this.#run.platform;
  }
}

function makeChip(offer) {
  const number = el("b");
  const radio = el("input", { type: "radio", name: "verdict", value: offer.value });
  const sign = offer.value ? el("i", { class: "swatch", style: `background: var(--verdict-${offer.value})`, "aria-hidden": "true" }) : "";
  const node = el("label", {}, radio, el("span", {}, sign, `${offer.label} `, number));
  return { node, update: (now) => say(number, count(now.number)) };
}
