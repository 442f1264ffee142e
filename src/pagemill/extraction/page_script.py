"""The one script that waits in a page and reads it. Owns the JavaScript and the names of what goes in and comes out.

It runs in the page's own world, next to whatever the shop does there. So it calls few methods that a page could have
replaced, bounds what it sends by plain loops, and takes its observer, listeners and timers away however it ends. Where
a page breaks it all the same, the call fails or says nothing, and Python's own deadline ends the visit.

In (`spec`): `ready` (selector or null), `fields` (list of `[selector, attribute or null]`), `scripts` (whether to read
JSON-LD), `texts` (sources of regular expressions), `endStatuses`, `stop` (an event's name, or ""), `timeoutMs`, `shown`
(whether the page was brought to the front for this visit), and the bounds `fieldChars`, `totalChars`, `scriptChars`,
`maxScripts`.

Out: `{ready, status, url, raw, scripts, texts}`: whether the content appeared, the document's HTTP status (0 if
unknown) and address, one string or null per field, the JSON-LD texts, and the positions of the texts that are there.
`later` asks for another call: in a moment (`"again"`), or after the page was brought to the front (`"shown"`), because
a hidden page gets no frames, and what it lacks may need some.
"""

from __future__ import annotations

READING = r"""
  const now = () => performance.now();
  let textAt = -Infinity, unread = true;
  const patterns = [], found = [];
  for (let i = 0; i < spec.texts.length; i += 1) patterns[i] = new RegExp(spec.texts[i], "i");

  const isSpace = (c) => c <= " " || c === "\u00a0";
  const cut = (value, limit) => {
    if (typeof value !== "string") return null;
    if (value.length <= limit) return value;
    let start = 0, out = "";
    while (start < value.length && isSpace(value[start])) start += 1;
    for (let i = start; i < value.length && i < start + limit; i += 1) out += value[i];
    return out;
  };
  const valueOf = (node, attribute) => (attribute === null ? node.textContent : node.getAttribute(attribute));
  const jsonScripts = () => doc.querySelectorAll('script[type^="application/ld+json" i]');
  const isProduct = (text) => /"[^"\s]{0,40}Product(Group|Model)?"/.test(text);

  // A script's source holds texts that nobody sees, so a text found there is looked for again without them.
  const visibleText = () => {
    const walker = doc.createTreeWalker(doc, NodeFilter.SHOW_TEXT);
    let out = "";
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentNode;
      const name = parent === null ? "" : parent.nodeName;
      if (name !== "SCRIPT" && name !== "STYLE" && name !== "NOSCRIPT") out += walker.currentNode.data;
    }
    return out;
  };
  const findTexts = () => {
    if (patterns.length === 0 || !unread) return;
    unread = false;
    textAt = now();
    const text = doc.documentElement === null ? "" : doc.documentElement.textContent;
    let visible = null;
    found.length = 0;
    for (let i = 0; i < patterns.length; i += 1) {
      if (!patterns[i].test(text)) continue;
      if (visible === null) visible = visibleText();
      if (patterns[i].test(visible)) found[found.length] = i;
    }
  };

  const read = () => {
    const raw = [], scripts = [];
    let room = spec.totalChars;
    for (let i = 0; i < spec.fields.length; i += 1) {
      const node = doc.querySelector(spec.fields[i][0]);
      const limit = room < spec.fieldChars ? room : spec.fieldChars;
      raw[i] = node === null ? null : cut(valueOf(node, spec.fields[i][1]), limit);
      if (raw[i] !== null) room -= raw[i].length;
    }
    const nodes = spec.scripts ? jsonScripts() : [];
    for (let i = 0; i < nodes.length && scripts.length < spec.maxScripts; i += 1) {
      const text = nodes[i].textContent;
      if (typeof text !== "string" || text.length > spec.scriptChars || text.length > room) continue;
      if (!isProduct(text)) continue;
      scripts[scripts.length] = text;
      room -= text.length;
    }
    return { raw, scripts };
  };

"""
"""What reads a document: `doc`, by `spec`, which must be known where this stands."""

WATCH_SCRIPT = (
    r"""async (spec) => await { then(resolve, reject) {
  const doc = document;"""
    + READING
    + r"""
  const LOOK_MS = 5, TEXT_MS = 250, HIDDEN_MAX_MS = 3000;
  const timers = { end: 0, look: 0, text: 0, settle: 0, hidden: 0 };
  let observer = null, over = false, settled = false;
  let lookedAt = -Infinity, changedAt = 0, loadedAt = 0;
  const waits = spec.ready !== null || spec.scripts || spec.fields.length > 0;
  const hidden = waits && doc.hidden && !spec.shown;
  // Whether every field must say something until the page has settled, and not only the ready sign be there.
  const thorough = spec.ready === null || hidden || spec.shown;
  // Being shown for nothing costs more than waiting a little longer.
  const SETTLE_MS = hidden ? 1000 : 300, SETTLE_MAX_MS = spec.shown ? 1000 : 2000;

  const status = () => {
    const entry = performance.getEntriesByType("navigation")[0];
    return (entry && entry.responseStatus) || 0;
  };
  const isBlank = (value) => {
    if (typeof value !== "string") return true;
    for (let i = 0; i < value.length; i += 1) if (!isSpace(value[i])) return false;
    return true;
  };
  // While the parser is at work, the text of the element that it is inside may be half of what the server sent.
  const isComplete = (node) => {
    for (; node !== null; node = node.parentNode) if (node.nextSibling !== null) return true;
    return false;
  };
  const appeared = (late) => {
    if (!waits || (spec.ready !== null && doc.querySelector(spec.ready) === null)) return false;
    const parsed = doc.readyState !== "loading";
    if (spec.scripts) {
      if (!parsed || spec.ready !== null) return parsed;
      const nodes = jsonScripts();
      for (let i = 0; i < nodes.length; i += 1) if (isProduct(nodes[i].textContent)) return true;
      return false;
    }
    const every = thorough && !settled;
    for (let i = 0; i < spec.fields.length; i += 1) {
      const node = doc.querySelector(spec.fields[i][0]);
      if (node === null) {
        if (every || !(parsed || late)) return false;
      } else {
        if (!parsed && !isComplete(node)) return false;
        if (every && isBlank(valueOf(node, spec.fields[i][1]))) return false;
      }
    }
    return true;
  };

  const clean = () => {
    over = true;
    for (const name in timers) clearTimeout(timers[name]);
    if (observer !== null) observer.disconnect();
    observer = null;
    doc.removeEventListener("readystatechange", onState);
    if (spec.stop) doc.removeEventListener(spec.stop, onStop);
  };
  const finish = (ready, later = "") => {
    if (over) return;
    clean();
    unread = true;
    findTexts();
    const { raw, scripts } = read();
    resolve({ ready, later, status: status(), url: doc.URL, raw, scripts, texts: found });
  };
  const guarded = (step) => () => {
    if (over) return;
    try {
      step();
    } catch (error) {
      try { clean(); } finally { reject(error); }
    }
  };

  const look = guarded(() => {
    clearTimeout(timers.look);
    timers.look = 0;
    lookedAt = now();
    if (appeared(false)) return finish(true);
    if (patterns.length > 0 && unread) {
      const rest = textAt + TEXT_MS - lookedAt;
      if (rest <= 0) {
        findTexts();
        if (found.length > 0) return finish(false);
      } else if (!timers.text) {
        timers.text = setTimeout(() => { timers.text = 0; look(); }, rest);
      }
    }
    // The shop has failed: nothing but a text can still say more than the status does.
    if (doc.readyState === "complete" && status() >= 400) finish(false);
  });
  const onChange = guarded(() => {
    changedAt = now();
    unread = true;
    const rest = lookedAt + LOOK_MS - changedAt;
    if (rest <= 0) look();
    else if (!timers.look) timers.look = setTimeout(look, rest);
  });
  const settle = guarded(() => {
    const quiet = now() - changedAt, since = now() - loadedAt;
    if (quiet >= SETTLE_MS || since >= SETTLE_MAX_MS) {
      if (hidden) return finish(false, "shown");
      settled = true;
      look();
    } else {
      timers.settle = setTimeout(settle, SETTLE_MS - quiet);
    }
  });
  const onState = guarded(() => {
    const loaded = doc.readyState === "complete" || (spec.shown && spec.ready !== null);
    if (loaded && thorough && spec.fields.length > 0 && !timers.settle) {
      loadedAt = changedAt = now();
      timers.settle = setTimeout(settle, SETTLE_MS);
    }
    textAt = -Infinity;
    look();
  });
  const onStop = guarded(() => finish(false));

  guarded(() => {
    const code = status();
    for (let i = 0; i < spec.endStatuses.length; i += 1) if (spec.endStatuses[i] === code) return finish(false);
    timers.end = setTimeout(guarded(() => {
      settled = spec.ready !== null || doc.readyState === "complete";
      finish(appeared(true));
    }), spec.timeoutMs);
    if (hidden) timers.hidden = setTimeout(guarded(() => finish(false, "shown")), HIDDEN_MAX_MS);
    if (spec.stop) doc.addEventListener(spec.stop, onStop);
    doc.addEventListener("readystatechange", onState);
    if (waits || patterns.length > 0) {
      observer = new MutationObserver(onChange);
      observer.observe(doc, { subtree: true, childList: true, attributes: true, characterData: true });
    }
    onState();
    // A sandboxed document may run no timer and no observer: it is looked at again from outside.
    if (!over && self.origin === "null" && doc.readyState !== "complete") finish(false, "again");
  })();
} }
"""
)
"""An async function that awaits an object with `then`: it needs no `Promise`, which pages replace."""

STOP_SCRIPT = "(name) => { document.dispatchEvent(new Event(name)); }"
"""Ends a watch early; `name` is its `stop`."""
