// Begins a run with a file that is dropped on the page or chosen. Asks for the platform.

import { upload } from "../api.js";
import { ask, tell } from "../dialog.js";
import { byId, el } from "../dom.js";
import { count, plural } from "../format.js";
import { mayChange } from "../shell.js";
import { query, runAddress } from "./addresses.js";

const TYPES = { csv: "text/csv", tsv: "text/tab-separated-values", jsonl: "application/x-ndjson", ndjson: "application/x-ndjson" };
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_NAME = 200;
/** Common encodings; any other that Python knows may be typed. */
const ENCODINGS = ["utf-8", "cp949", "euc-kr", "shift_jis", "gb18030", "big5", "utf-16", "windows-1252"];

/** `platforms()` gives the names to choose from; `begun()` is called when there is a new run. */
export function setUpBegin(platforms, begun) {
  const input = byId("begin-file");
  const drop = byId("drop");
  const begin = (file) => beginWith(file, platforms(), begun);
  input.addEventListener("change", () => {
    if (input.files.length) begin(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  let depth = 0;
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    drop.toggleAttribute("data-over", depth > 0);
  };
  addEventListener("dragenter", (event) => hasFile(event) && mark(1));
  addEventListener("dragleave", (event) => hasFile(event) && mark(-1));
  // Without this, the browser would open a dropped file instead of the page.
  addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    mark(-depth);
    const { files } = event.dataTransfer;
    if (!mayChange()) tell("You may look only: a run is begun with a token made with --role admin.", "critical");
    else if (files.length !== 1) tell("Drop one file: each becomes a run of its own.", "critical");
    else begin(files[0]);
  });
}

const hasFile = (event) => [...event.dataTransfer.types].includes("Files");

function beginWith(file, platforms, begun) {
  if (byId("ask").open) return;
  const type = TYPES[file.name.split(".").pop().toLowerCase()];
  if (!type) return tell(`${file.name} is no catalogue: its name ends in ${Object.keys(TYPES).map((end) => `.${end}`).join(", ")}.`, "critical");
  if (file.size > MOST_BYTES) return tell(`${file.name} has more than 32 MB: send it in parts, or use pagemill enqueue.`, "critical");
  const platform = choice("begin-platform", [...platforms.map((name) => [name, name]), ["auto", "auto: of each row the one that has its url"]]);
  platform.value = platforms.find((name) => file.name.toLowerCase().includes(name.toLowerCase())) ?? (platforms.length === 1 ? platforms[0] : "auto");
  const priority = choice("begin-priority", ["high", "normal", "low"].map((word) => [word, word]));
  priority.value = "normal";
  const encoding = el("input", { id: "begin-encoding", list: "begin-encodings", placeholder: "UTF-8", maxlength: "100", autocomplete: "off", spellcheck: "false" });
  const known = el("datalist", { id: "begin-encodings" }, ...ENCODINGS.map((name) => el("option", { value: name })));
  const strict = el("input", { id: "begin-strict", type: "checkbox" });
  let asked = "";
  let key = "";
  ask({
    title: `Begin a run with ${file.name}?`, text: `${count(Math.ceil(file.size / 1024))} KB. Each product is visited once, at the platform's pace.`, confirm: "Begin",
    fields: [
      labelled("Platform", platform),
      el("div", { class: "fields" }, labelled("Priority", priority), labelled("Encoding", encoding, known)),
      el("div", { class: "choice" }, strict, el("label", { for: "begin-strict" }, "Begin nothing where a single row is bad")),
    ],
    async act() {
      const wanted = { platform: platform.value, priority: priority.value, encoding: encoding.value.trim(), strict: strict.checked };
      const path = `/api/v1/runs${query({ ...wanted, source: file.name.slice(0, MOST_NAME) })}`;
      // The same content again is the same request; other content is a new one.
      if (path !== asked) [asked, key] = [path, newKey()];
      const found = await upload(path, file, type, key);
      showBegun(found);
      begun();
      return `${found.run.run} was begun.`;
    },
  });
  return undefined;
}

const choice = (id, options) => el("select", { id, required: true }, ...options.map(([value, name]) => el("option", { value }, name)));
const labelled = (name, input, ...more) => el("div", { class: "field" }, el("label", { for: input.id }, name), input, ...more);

function showBegun({ run, bad_rows: rows, bad_rows_in_all: inAll }) {
  const place = byId("begun");
  const link = el("a", { href: runAddress(run.run) }, run.run);
  const told = run.products === null ? " is being put on the queue." : ` was begun with ${plural(run.products, "product")}.`;
  const parts = [el("p", {}, link, told)];
  if (inAll) {
    const more = inAll > rows.length ? ` The first ${count(rows.length)}:` : "";
    parts.push(el("p", { class: "bad" }, `${plural(inAll, "row")} passed over or remarked on.${more}`), badRows(rows));
  }
  place.replaceChildren(...parts);
  place.hidden = false;
  byId("ask").addEventListener("close", () => place.focus(), { once: true });
}

function badRows(rows) {
  const head = el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "n" }, "Line"), el("th", { scope: "col" }, "Why")));
  const body = rows.map((row) => el("tr", {}, el("td", { class: "n" }, row.line ? count(row.line) : "all"), el("td", { class: "text" }, row.reason)));
  return el("table", { class: "bad-rows" }, el("caption", { class: "hidden" }, "Bad rows"), head, el("tbody", {}, ...body));
}

/** A random key for a header. `randomUUID` does not exist on pages without https. */
const newKey = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
