// Reads fields: `readPlace(place, position)`, and `fittedAt(place)`, which tells what else the selectors found.
//
// Needs `spec` and what `document_script`, `seen_script` and `shadow_script` give. `room` and `cuts` are a reading's own.

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
// While the parser is at work, the element that it is inside may hold only half of what the server sent.
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
