// One product: its results in run after run, as a chart of one fact and as a table.

import { read } from "../api.js";
import { byId, el, say, sync } from "../dom.js";
import { moment } from "../format.js";
import { Poll } from "../poll.js";
import { asking } from "../shell.js";
import { apiHistory, query, runAddress } from "./addresses.js";
import { PriceChart } from "./price_chart.js";
import { badge, differences, nameOf, outside, shown } from "./values.js";

const EVERY_MS = 30000;
const READ = 100;
const MOST = 1000;
const FIRST_FACTS = ["price", "list_price"];

export class ProductPage {
  #platform;
  #product;
  #results = [];
  #next = "";
  #fact = "price";
  #chart = new PriceChart(byId("price-chart"), byId("price-caption"));
  #polls = new Poll(() => asking(() => this.#look()), EVERY_MS);

  constructor({ platform, product }) {
    this.#platform = platform;
    this.#product = product;
    document.title = `${product} - pagemill`;
    say(byId("product-name"), product);
    say(byId("product-platform"), platform);
    byId("price-fact").addEventListener("change", (event) => {
      this.#fact = event.target.value;
      this.#show();
    });
    byId("history-more").addEventListener("click", () => this.#more());
  }

  enter() {
    this.#polls.start();
  }

  leave() {
    this.#polls.stop();
  }

  async #look() {
    const newest = await this.#read("");
    const known = new Set(newest.results.map((each) => each.run));
    const older = this.#results.filter((each) => !known.has(each.run));
    // The results shown so far are older than the new ones and are appended to them.
    if (!older.length) this.#next = newest.next_before;
    this.#results = [...newest.results, ...older];
    this.#show();
  }

  async #more() {
    byId("history-more").disabled = true;
    try {
      const older = await asking(() => this.#read(this.#next));
      this.#results.push(...older.results);
      this.#next = older.next_before;
    } finally {
      this.#show();
    }
  }

  #read(before) {
    return read(`${apiHistory(this.#platform, this.#product)}${query({ before, limit: READ })}`);
  }

  #show() {
    const [latest] = this.#results;
    if (latest) {
      say(byId("product-name"), nameOf(latest) || this.#product);
      byId("product-address").replaceChildren(`${this.#product}, `, outside(latest.url));
    }
    this.#offerFacts();
    say(byId("history-fact"), this.#fact);
    sync(byId("history-rows"), this.#results, (each) => each.run, () => this.#makeRow(), () =>
      el("tr", {}, el("td", { class: "none", colspan: "5" }, "No run has a result of this product.")),
    );
    byId("history-more").disabled = !this.#next || this.#results.length >= MOST;
    this.#chart.show(this.#results, this.#fact);
  }

  #offerFacts() {
    const found = new Set(this.#results.flatMap((each) => Object.entries(each.facts).filter(([, value]) => typeof value === "number").map(([name]) => name)));
    const names = [...FIRST_FACTS.filter((name) => found.delete(name)), ...[...found].sort()];
    if (!names.length) names.push("price");
    if (!names.includes(this.#fact)) [this.#fact] = names;
    const choice = byId("price-fact");
    if (names.join("\n") !== [...choice.options].map((option) => option.value).join("\n")) {
      choice.replaceChildren(...names.map((name) => el("option", { value: name }, name.replaceAll("_", " "))));
    }
    choice.value = this.#fact;
  }

  #makeRow() {
    const when = el("time");
    const verdict = el("td");
    const value = el("td", { class: "n" });
    const found = el("td", { class: "text" });
    const run = el("td", { class: "text run" });
    let drawn = "";
    return {
      node: el("tr", {}, el("th", { scope: "row" }, when), verdict, value, found, run),
      update: (now) => {
        const text = JSON.stringify([now, this.#fact]);
        if (text === drawn) return;
        drawn = text;
        when.setAttribute("datetime", now.finished_at);
        say(when, moment(new Date(now.finished_at)));
        verdict.replaceChildren(badge(now.verdict));
        say(value, now.facts[this.#fact] === undefined ? "" : shown(now.facts[this.#fact]));
        found.replaceChildren(now.differences.length ? differences(now) : now.reason);
        run.replaceChildren(el("a", { href: `${runAddress(now.run)}${query({ search: now.product_id })}` }, now.run));
      },
    };
  }
}
