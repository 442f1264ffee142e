// Which texts and elements a visitor sees: `findTexts(all)` and `findSigns(all)` fill `found` and `signed` with positions.
// `read()` reads all that `spec` asks for.
//
// Needs what `places_script`, `states_script` and `structured_script` give.

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
// Most pages lack a word of a text, which the source shows at once. Only otherwise is it checked where the words stand.
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
