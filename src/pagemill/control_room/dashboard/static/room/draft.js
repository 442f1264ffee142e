// Drafts a platform's file: pages are named, the API visits them, and a place is chosen for each field.

import { change, read, Refused } from "../api.js";
import { tell } from "../dialog.js";
import { byId, say } from "../dom.js";
import { Poll } from "../poll.js";
import { answered, asking, startShell } from "../shell.js";
import { query } from "./addresses.js";
import { showFields } from "./draft_fields.js";
import { setUpFile, showFile } from "./draft_file.js";
import { setUpForm } from "./draft_form.js";
import { showPages } from "./draft_pages.js";

const EVERY_MS = 1000;
const DRAFTS = "/api/v1/drafts";

class DraftPage {
  #id = new URLSearchParams(location.search).get("draft") || "";
  #picks = {};
  #asked = 0;
  #form = setUpForm((wanted) => this.#begin(wanted));
  #polls = new Poll(() => asking(() => this.#look()), EVERY_MS);

  constructor() {
    document.title = "Draft a platform's file - pagemill";
    setUpFile();
  }

  enter() {
    if (this.#id) this.#polls.start();
    else answered();
  }

  leave() {
    this.#polls.stop();
  }

  async #begin(wanted) {
    const begun = await change("POST", DRAFTS, wanted);
    this.#id = begun.id;
    this.#picks = {};
    history.replaceState(null, "", `${location.pathname}${query({ draft: begun.id })}`);
    byId("drafted").hidden = true;
    this.#show(begun);
    this.#polls.stop();
    this.#polls.start();
  }

  async #look() {
    try {
      this.#show(await read(`${DRAFTS}/${encodeURIComponent(this.#id)}`));
    } catch (error) {
      if (!(error instanceof Refused && [404, 422].includes(error.status))) throw error;
      answered();
      this.#end(error.message);
    }
  }

  #show(draft) {
    const atWork = draft.state === "at_work";
    byId("draft-progress").hidden = !atWork;
    this.#form.busy(atWork);
    byId("draft-bar").max = draft.of;
    byId("draft-bar").value = draft.visited;
    if (atWork) say(byId("draft-told"), draft.visited < draft.of ? `${draft.visited} of ${draft.of} pages visited.` : `All ${draft.of} pages visited; choosing and trying.`);
    else this.#polls.stop();
    if (draft.state === "failed") this.#end(draft.error.message);
    if (draft.state !== "done") return;
    this.#showDrafted(draft);
    byId("drafted").hidden = false;
    byId("draft-pages-title").focus();
  }

  #showDrafted(draft) {
    showPages(draft);
    showFields(draft, (field, number) => this.#choose(field, number));
    showFile(draft);
  }

  /** Shows only the answer to the last request, whatever order the answers come in. */
  async #choose(field, number) {
    this.#picks = { ...this.#picks, [field]: number };
    const asked = ++this.#asked;
    try {
      const draft = await change("POST", `${DRAFTS}/${encodeURIComponent(this.#id)}/choose`, { picks: this.#picks });
      if (asked === this.#asked) this.#showDrafted(draft);
    } catch (error) {
      tell(error.message, "critical");
    }
  }

  #end(message) {
    this.#polls.stop();
    byId("draft-progress").hidden = true;
    this.#form.busy(false);
    this.#form.refuse(message);
  }
}

const page = new DraftPage();
startShell({ enter: () => page.enter(), leave: () => page.leave(), repaint() {} });
