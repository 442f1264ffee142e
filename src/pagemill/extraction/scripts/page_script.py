"""The JavaScript that reads a document. What it brings back is raw; what that means is said in Python.

It runs in a world of its own, where the page's scripts have replaced nothing; what it sends is bounded.

In (`spec`):
- `places`: what fields are read from, each `{frame, selectors, attribute, split, visible, exists}`;
- `states`: JSON in a script element (`{script}`), a global variable (`{variable}`), or the document itself
  (`{document}`); `bridge`: how variables are asked for, or "" if there are none;
- `structured`: whether to read what the shop publishes for search engines;
- `searches`: texts, each `[selector or "", source of a regular expression, whether it may end the wait, sources of its
  words' expressions, selector of a frame or ""]`;
- `signs`: elements, each `[selector, whether it may end the wait]`;
- `explain`: whether to tell what else fitted;
- the bounds `fieldChars`, `stateChars`, `structuredChars`, `totalChars`.

Out of `read()`: `{raw, states, structured, cut, fitted}`. `raw` has one entry per place: an ordinary one gives a list
with one string or null per selector, a `visible` one a list of `[string, seen]`, an `exists` one true or false.
`states` has one string or null per state. `cut` lists what was longer than its bound, as `[kind, position, length]`,
and the places whose frame was out of reach, as `["frame", position, frameTrouble]`.
`fitted` says per place how many elements there were and what some others say; `requests` lists what the page has
fetched. `findTexts` and `findSigns` fill `found` and `signed` with positions.
"""

from __future__ import annotations

import functools
import re

from pagemill.extraction.published.structured_script import STRUCTURED
from pagemill.extraction.scripts.document_script import DOCUMENT
from pagemill.extraction.scripts.seen_script import SEEN
from pagemill.extraction.scripts.shadow_script import SHADOW

NOW = "  const now = () => performance.now();\n"
_PLACES = r"""
  const isSpace = (c) => c <= " " || c === "\u00a0";
  const isBlank = (value) => {
    if (typeof value !== "string") return true;
    for (let i = 0; i < value.length; i += 1) if (!isSpace(value[i])) return false;
    return true;
  };
  const valueOf = (node, place) => {
    if (place.attribute === null) return textOf(node, place.split);
    const value = attributeOf(node, place.attribute);
    return value === null && place.selectors.length > 1 ? textOf(node, place.split) : value;
  };
  // While the parser is at work, the text of the element that it is inside may be half of what the server sent.
  const isComplete = (node) => {
    for (; node !== null; node = upOf(node)) if (nextOf(node) !== null) return true;
    return false;
  };
  const isThere = (node, place) => place.attribute === null || hasAttribute(node, place.attribute);
  const first = (selector) => firstIn(page, selector);

  let room = 0, cuts = [];
  const cut = (value, limit, kind, position) => {
    if (typeof value !== "string") return null;
    const bound = room < limit ? room : limit;
    room -= value.length < bound ? value.length : bound;
    if (value.length <= bound) return value;
    let start = 0, out = "";
    while (start < value.length && isSpace(value[start])) start += 1;
    for (let i = start; i < value.length && i < start + bound; i += 1) out += value[i];
    if (value.length - start > bound) cuts[cuts.length] = [kind, position, value.length];
    return out;
  };

  const MAX_OTHERS = 3;
  const readPlace = (place, position) => {
    const top = pageOf(place.frame), trouble = frameTrouble(place.frame), out = [];
    if (trouble > 0) cuts[cuts.length] = ["frame", position, trouble];
    const isSeenHere = (node) => isSeen(node) && isFrameSeen(place.frame);
    let found = false, seen = false;
    for (let i = 0; i < place.selectors.length && !found; i += 1) {
      if (!place.exists && !place.visible) {
        const node = firstIn(top, place.selectors[i]);
        out[i] = node === null ? null : cut(valueOf(node, place), spec.fieldChars, "place", position);
        continue;
      }
      const beyond = someIn(top, place.selectors[i], (node) => {
        if (place.exists) {
          found = isThere(node, place) && (!place.visible || isSeenHere(node));
          return found;
        }
        const text = cut(valueOf(node, place), spec.fieldChars, "place", position);
        if (isBlank(text)) return false;
        out[out.length] = [text, isSeenHere(node)];
        seen = seen || out[out.length - 1][1];
        return false;
      }, () => seen);
      if (beyond > 0) cuts[cuts.length] = ["elements", position, beyond];
    }
    if (hasManyRoots()) cuts[cuts.length] = ["roots", position, MAX_ROOTS];
    return place.exists ? found : out;
  };
  const fittedAt = (place) => {
    const top = pageOf(place.frame);
    for (let i = 0; i < place.selectors.length; i += 1) {
      const others = [];
      let count = 0, mine = null;
      const beyond = someIn(top, place.selectors[i], (node) => {
        count += 1;
        if (count > 1 && others.length >= MAX_OTHERS) return false;
        const text = valueOf(node, place);
        if (count === 1) mine = text;
        else if (!isBlank(text) && text !== mine) others[others.length] = text.slice(0, 100);
        return false;
      });
      if (count > 0) return [beyond || count, others];
    }
    return [0, []];
  };
"""

_STATES = r"""
  // What a script in the page's own world says of a variable there: see `variables_script`.
  const ask = (question) => {
    let said = null;
    const hear = (event) => { said = typeof event.detail === "string" ? event.detail : null; };
    doc.addEventListener(spec.bridge + "-said", hear);
    doc.dispatchEvent(new CustomEvent(spec.bridge, { detail: question }));
    doc.removeEventListener(spec.bridge + "-said", hear);
    return said;
  };
  // What a template holds is in a document of its own.
  const sourceOf = (node) => node === null ? null : nameOf(node) === "TEMPLATE" ? contentOf(node.content) :
    nameOf(node) === "INPUT" || nameOf(node) === "TEXTAREA" ? node.value : contentOf(node);
  const stateText = (state, position) => {
    if (state.script) {
      return sourceOf(first(state.script));
    }
    if (state.document) {
      const shown = doc.body !== null && doc.contentType !== "text/html" ? doc.body.querySelector("pre") : null;
      return shown === null ? (doc.body === null ? null : contentOf(doc.body)) : contentOf(shown);
    }
    const said = spec.bridge ? ask("text " + state.variable) : null;
    if (said === null) return null;
    if (said[0] === "+") cuts[cuts.length] = ["state", position, said.length - 1];
    return said.slice(1);
  };
  const hasState = (state) => {
    if (state.script) {
      const node = first(state.script);
      return node !== null && !isBlank(sourceOf(node)) && (doc.readyState !== "loading" || isComplete(node));
    }
    if (state.document) return doc.readyState === "complete";
    return spec.bridge !== "" && ask("has " + state.variable) === "1";
  };
"""

_SIGNS = r"""
  let textAt = -Infinity, textMs = 0, unread = true;
  const patterns = [], found = [], signed = [];
  for (let i = 0; i < spec.searches.length; i += 1) patterns[i] = new RegExp(spec.searches[i][1], "i");
  const hasWords = (text, words) => {
    for (let i = 0; i < words.length; i += 1) if (!new RegExp(words[i], "i").test(text)) return false;
    return true;
  };
  const endsBy = (positions, kinds, at) => {
    for (let i = 0; i < positions.length; i += 1) if (kinds[positions[i]][at]) return true;
    return false;
  };

  const frameText = (frame) => {
    const top = pageOf(frame);
    return top === null ? "" : legible(contentOf(rootOf(top)) + shadowTextOf(top));
  };
  // Most pages lack a word of a text: the source tells that at once, and only else is it looked where the words stand.
  const findTexts = (all) => {
    if (patterns.length === 0 || !(unread || all)) return;
    unread = false;
    textAt = now();
    const text = sourceText() + legible(shadowTextOf(page));
    const title = typeof doc.title === "string" ? legible(doc.title) : "";
    found.length = 0;
    forgetSeen();
    for (let i = 0; i < patterns.length; i += 1) {
      const [within, , ends, words, frame] = spec.searches[i];
      if (!(all || ends) || !hasWords(frame === "" ? text : frameText(frame), words)) continue;
      if (within === "" && patterns[i].test(title)) {
        found[found.length] = i;
        continue;
      }
      const has = (root) => {
        if (!findSeen(root, patterns[i], words) || !isFrameSeen(frame)) return false;
        found[found.length] = i;
        return true;
      };
      if (within === "") has(doc.body || doc.documentElement);
      else someIn(pageOf(frame), within, has);
    }
    textMs = now() - textAt;
  };
  const findSigns = (all) => {
    signed.length = 0;
    for (let i = 0; i < spec.signs.length; i += 1) {
      const [selector, ends] = spec.signs[i];
      if (!(all || ends)) continue;
      someIn(page, selector, (node) => {
        if (!isSeen(node)) return false;
        signed[signed.length] = i;
        return true;
      });
    }
  };
  // The addresses that the page has fetched data from.
  const requested = () => {
    const out = [];
    for (const entry of performance.getEntriesByType("resource")) {
      if (entry.initiatorType !== "fetch" && entry.initiatorType !== "xmlhttprequest") continue;
      out[out.length] = entry.name.slice(0, 8000);
      if (out.length === 30) break;
    }
    return out;
  };
  const read = () => {
    room = spec.totalChars;
    cuts = [];
    forgetSeen();
    const raw = [], states = [], fitted = [];
    for (let i = 0; i < spec.places.length; i += 1) {
      raw[i] = readPlace(spec.places[i], i);
      if (spec.explain) fitted[i] = fittedAt(spec.places[i]);
    }
    for (let i = 0; i < spec.states.length; i += 1) {
      states[i] = cut(stateText(spec.states[i], i), spec.stateChars, "state", i);
    }
    const structured = spec.structured ? readStructured() : null;
    return { raw, states, structured, cut: cuts, fitted, requests: spec.explain ? requested() : [] };
  };
"""

_NO_STATES = "  const stateText = () => null, hasState = () => false;\n"
_NO_STRUCTURED = "  const readStructured = () => null, hasStructured = () => false;\n"
_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)


@functools.cache
def reading_script(*, structured: bool, states: bool) -> str:
    """What reads a document: `page`, by `spec`, which must be known where this stands.

    Without what is not asked for: it is sent with every visit.
    """
    parts = [
        DOCUMENT,
        SEEN,
        NOW,
        SHADOW,
        _PLACES,
        _STATES if states else _NO_STATES,
        _SIGNS,
        STRUCTURED if structured else _NO_STRUCTURED,
    ]
    return _INDENT.sub("", _COMMENT.sub("", "".join(parts)))
