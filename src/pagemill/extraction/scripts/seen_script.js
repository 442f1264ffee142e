// JavaScript that tells what a visitor sees of a document: its texts as sentences, and whether an element is seen.
//
// Hidden pages are not laid out, and asking for layout costs much. So texts are looked for in the source first; styles
// and boxes are only asked for where a text was found. A document that was fetched and never shown (`doc` of an
// `XMLHttpRequest`) has no styles: only what its markup hides counts as hidden.
//
// Needs what `document_script` gives. Gives `textOf(node, split)`, `sourceText()`, `legible(text)`, `isSeen(element)`,
// `isFrameDrawn(frame)`, `findSeen(root, pattern, words)` and `forgetSeen()`.

const view = doc.defaultView;
// Whether a node's name is one of several; each name is looked up once.
const oneOf = (names) => {
  const known = Object.create(null);
  return (node) => {
    const name = nameOf(node);
    if (known[name] === undefined) known[name] = names.indexOf(" " + name.toLowerCase() + " ") >= 0;
    return known[name];
  };
};
const isSourceOnly = oneOf(" script style noscript template ");
const isUnseen = oneOf(" script style noscript template head datalist object audio video iframe canvas textarea " +
  "defs symbol clippath ");
const isInline = oneOf(" a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark meter " +
  "nobr output q rp rt ruby s samp small span strike strong tt time u var wbr sub sup ");
const isRaised = oneOf(" sup sub ");
// The label of an input that is a button; it is not among the document's texts.
const LABELLED = "input[type=submit i],input[type=button i],input[type=reset i]";
const labelOf = (node) => (nameOf(node) === "INPUT" && node.matches(LABELLED) ? node.value : "");
const isNeverDrawn = oneOf(" meta link script style title template base ");
const MAX_DEPTH = 400, MAX_NODES = 200000, MAX_BUTTONS = 300;

// Calls `text(node)` for every text of a subtree as it is drawn, through shadow roots and slots, and
// `border(element)` where an element begins or ends.
const walk = (root, text, border, skips) => {
  let count = 0;
  const walkParts = (parts, depth) => {
    for (let i = 0; i < parts.length && depth < MAX_DEPTH; i += 1) {
      const isElement = typeOf(parts[i]) === 1;
      if (isElement) border(parts[i]);
      if (!isElement || !skips(parts[i])) walkPart(parts[i], depth);
      if (isElement) border(parts[i]);
    }
  };
  const walkPart = (top, above) => {
    let node = top, depth = above;
    while (node !== null && count < MAX_NODES) {
      count += 1;
      let inside = null;
      if (typeOf(node) === 3) text(node);
      else if (typeOf(node) === 1 && !(skips(node) && node !== top)) {
        if (node !== top) border(node);
        const parts = partsOf(node);
        if (parts !== null) walkParts(parts, depth + 1);
        else inside = depth < MAX_DEPTH ? firstOf(node) : null;
      } else if (typeOf(node) === 9 || typeOf(node) === 11) inside = firstOf(node);
      if (inside !== null) {
        depth += 1;
        node = inside;
        continue;
      }
      while (node !== top && nextOf(node) === null) {
        node = parentOf(node);
        depth -= 1;
        if (node === null || node === top) return;
        border(node);
      }
      if (node === top) return;
      if (typeOf(node) === 1) border(node);
      node = nextOf(node);
    }
  };
  walkPart(root, 0);
};

const ILLEGIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const legible = (text) => (ILLEGIBLE.test(text) ? text.split(ILLEGIBLE).join("") : text);
// `split` puts a space at every border of elements, because <b>$119</b><sup>95</sup> are two numbers. No space is put
// between digits and signs that each have an element of their own. Nor is one put within a number that is divided at a
// sign or before a unit: <b>12,</b><b>900</b>, <b>3</b>만.
const textOf = (element, split) => {
  let out = labelOf(element), pending = false, last = "";
  walk(element, (node) => {
    const data = node.data;
    if (data === "") return;
    const lone = (piece) => piece.length === 1 && ".,0123456789".indexOf(piece) >= 0;
    const sign = (piece) => piece === "." || piece === ",";
    const goesOn = (/[0-9][.,]$/.test(last) && /^[0-9]/.test(data)) ||
      (/[0-9]$/.test(last) && /^(?:[.,][0-9]|[\u5343\u4e07\u842c\u5104\u4ebf\ucc9c\ub9cc\uc5b5])/.test(data));
    const joined = split && pending === "inline" &&
      ((lone(data) && lone(last)) || sign(data) || sign(last) || goesOn);
    if (pending && !joined && (split || pending === "block")) out += " ";
    pending = false;
    out += data;
    last = data;
  }, (border) => {
    const inline = isInline(border) && !(split && isRaised(border));
    pending = inline && pending !== "block" ? "inline" : "block";
  }, isSourceOnly);
  return out;
};

// Every text of the document, whether anybody sees it or not.
const sourceText = () => {
  const root = doc.documentElement;
  if (root === null) return "";
  let text = contentOf(root);
  const buttons = doc.querySelectorAll(LABELLED);
  for (let i = 0; i < buttons.length && i < MAX_BUTTONS; i += 1) text += " " + buttons[i].value;
  return legible(text);
};

// The styles and texts of this moment; `forgetSeen` clears them before each look.
let seenElements = new Map(), sentences = new Map();
const forgetSeen = () => {
  seenElements = new Map();
  sentences = new Map();
};
const isClosed = (node) => node !== null && nameOf(node) === "DETAILS" && !hasAttribute(node, "open");
const isHiddenByMarkup = (element) => {
  if (isUnseen(element)) return true;
  if (isClosed(parentOf(element)) && nameOf(element) !== "SUMMARY") return true;
  if (view !== null) return false;
  const style = attributeOf(element, "style") || "";
  return hasAttribute(element, "hidden") || (nameOf(element) === "DIALOG" && !hasAttribute(element, "open")) ||
    /display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(\.0*)?\s*(;|$)/i.test(style);
};
// An animated element counts as arrived: a hidden page draws no frames in which the animation could end.
const isMoving = (element) => element.getAnimations().length > 0;
const isCutToNothing = (style) => {
  const sides = /^rect\((\S+)px, (\S+)px, (\S+)px, (\S+)px\)/.exec(style.clip);
  if (sides !== null && (sides[3] - sides[1] < 2 || sides[2] - sides[4] < 2)) return true;
  const shape = /^(inset|circle|ellipse|polygon)\((.*)\)/.exec(style.clipPath);
  if (shape === null) return false;
  if (shape[1] === "polygon") {
    const points = shape[2].split(/, */);
    for (let i = 1; i < points.length; i += 1) if (points[i] !== points[0]) return false;
    return true;
  }
  if (shape[1] !== "inset") return /^0(px|%)/.test(shape[2]);
  const [top, right = top, bottom = top, left = right] = shape[2].split(" round ")[0].split(" ");
  const share = (side) => (side.slice(-1) === "%" ? parseFloat(side) : 0);
  return share(top) + share(bottom) >= 100 || share(right) + share(left) >= 100;
};
const isStyledAway = (element) => {
  const style = view.getComputedStyle(element);
  if (style.display === "none" || style.contentVisibility === "hidden" || isCutToNothing(style)) return true;
  return style.opacity < 0.05 && !isMoving(element);
};
// Whether an element and all elements around it are neither hidden nor closed, wherever they are placed.
const isOpen = (element) => {
  const chain = [];
  let open = true;
  for (let node = element; node !== null && typeOf(node) === 1; node = aroundOf(node)) {
    const known = seenElements.get(node);
    if (known !== undefined) {
      open = known;
      break;
    }
    chain[chain.length] = node;
    if (chain.length > MAX_DEPTH) break;
  }
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    open = open && !isHiddenByMarkup(chain[i]) && (view === null || !isStyledAway(chain[i]));
    seenElements.set(chain[i], open);
  }
  return open;
};

// Whether anything of a box is left after the elements around it have clipped it. An element clips what overflows it,
// except a box that is positioned without regard to it. What can be scrolled to is not clipped. `how` is the `position`
// of the box in `holder`.
const isLeft = (box, holder, how) => {
  let { left, right, top, bottom } = box;
  let moving = false;
  const home = holder === null ? doc : homeOf(holder);
  const cutX = (by) => { left = Math.max(left, by.left); right = Math.min(right, by.right); };
  const cutY = (by) => { top = Math.max(top, by.top); bottom = Math.min(bottom, by.bottom); };
  for (; holder !== null && typeOf(holder) === 1; holder = aroundOf(holder)) {
    const style = view.getComputedStyle(holder);
    moving = moving || (how === "fixed" && isMoving(holder));
    const holdsAll = style.transform !== "none" || style.filter !== "none" || style.perspective !== "none";
    if (!holdsAll && (how === "fixed" || (how === "absolute" && style.position === "static"))) continue;
    how = style.position;
    moving = moving || isMoving(holder);
    if (holder === home.body || holder === home.documentElement) continue;
    if (style.display === "inline" || style.display === "contents") continue;
    const scrolls = /auto|scroll/, cuts = /hidden|clip/;
    if (style.overflowX === "visible" && style.overflowY === "visible") continue;
    const around = holder.getBoundingClientRect();
    if (around.width < 2 || around.height < 2) return false;
    if (scrolls.test(style.overflowX)) ({ left, right } = around);
    else if (cuts.test(style.overflowX)) cutX(around);
    if (scrolls.test(style.overflowY)) ({ top, bottom } = around);
    else if (cuts.test(style.overflowY)) cutY(around);
    if (right - left < 1 || bottom - top < 1) return moving;
  }
  const seat = home.defaultView, width = home.documentElement.clientWidth, height = seat.innerHeight;
  const isIn = how === "fixed"
    ? left < width && right > 0 && top < height && bottom > 0
    : right + seat.scrollX > 0 && bottom + seat.scrollY > 0 && (left < width || !cutsSideways(home));
  return isIn || moving;
};
const cutsSideways = (home) => {
  const root = view.getComputedStyle(home.documentElement).overflowX;
  const body = home.body === null ? root : view.getComputedStyle(home.body).overflowX;
  return /hidden|clip/.test(root === "visible" ? body : root);
};
const isAnyLeft = (boxes, holder, how) => {
  for (let i = 0; i < boxes.length; i += 1) {
    if (boxes[i].width > 0 && boxes[i].height > 0 && isLeft(boxes[i], holder, how)) return true;
  }
  return false;
};
const isTransparent = (style) => /^rgba.*, 0\)$/.test(style.webkitTextFillColor) &&
  style.webkitBackgroundClip !== "text" && style.textShadow === "none";
// Whether a part of a text is drawn; its element must be open.
const isTextDrawn = (node, start, end) => {
  if (isClosed(parentOf(node))) return false;
  if (view === null) return true;
  const around = aroundOf(node);
  if (around === null) return false;
  const style = view.getComputedStyle(around);
  if (style.visibility !== "visible" || isTransparent(style)) return false;
  const range = doc.createRange();
  range.setStart(node, start);
  range.setEnd(node, end);
  return isAnyLeft(range.getClientRects(), around, "static");
};
const isElementDrawn = (element) => {
  if (view === null) return true;
  const style = view.getComputedStyle(element);
  if (style.visibility !== "visible") return false;
  if (isAnyLeft(element.getClientRects(), aroundOf(element), style.position)) return true;
  const range = doc.createRange();
  range.selectNodeContents(element);
  return isAnyLeft(range.getClientRects(), element, "static");
};
// A frame shows a document of its own, and not what stands between its tags.
const isFrameDrawn = (frame) =>
  view !== null && isOpen(aroundOf(frame)) && !isStyledAway(frame) && isElementDrawn(frame);
// Elements that are never drawn, such as a meta, count as seen.
const isSeen = (element) => {
  if (isNeverDrawn(element)) return true;
  if (nameOf(element) === "INPUT" && element.type === "hidden") return true;
  return isOpen(element) && isElementDrawn(element);
};

// The text of a part of the document as one string, with the node of each piece: a text, or a button.
const sentencesOf = (root) => {
  let known = sentences.get(root);
  if (known === undefined) {
    const nodes = [], starts = [];
    let text = "", pending = false;
    const add = (node, piece) => {
      if (pending && text !== "") text += " ";
      pending = false;
      starts[starts.length] = text.length;
      nodes[nodes.length] = node;
      text += legible(piece);
    };
    walk(root, (node) => add(node, node.data), (border) => {
      if (!isInline(border)) pending = true;
      const label = labelOf(border);
      if (label === "" || nodes[nodes.length - 1] === border) return;
      add(border, label);
      pending = true;
    }, isHiddenByMarkup);
    known = { text, nodes, starts };
    sentences.set(root, known);
  }
  return known;
};
// The index in a node's own data where the first `count` legible characters end.
const placeIn = (data, count) => {
  if (!ILLEGIBLE.test(data)) return count;
  let at = 0;
  for (; at < data.length && (count > 0 || ILLEGIBLE.test(data[at])); at += 1) {
    if (!ILLEGIBLE.test(data[at])) count -= 1;
  }
  return at;
};
// The index of the piece that has the character `at`.
const pieceAt = (known, at) => {
  let low = 0, high = known.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (known.starts[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return low;
};
// Whether the part of a piece between two places in the whole text is seen.
const isPieceSeen = (known, i, from, to) => {
  const node = known.nodes[i];
  if (typeOf(node) !== 3) return isSeen(node);
  const start = from > known.starts[i] ? placeIn(node.data, from - known.starts[i]) : 0;
  const end = Math.min(node.data.length, placeIn(node.data, to - known.starts[i]));
  return start >= end || (isOpen(aroundOf(node)) && isTextDrawn(node, start, end));
};
const isBlankPiece = (node) => typeOf(node) === 3 && /^\s*$/.test(node.data);

// Where all words stand one after another, with little between them; null if they do not from `at` on.
const MAX_GAP = 300, MAX_PLACES = 50;
const wordsFrom = (text, words, at) => {
  let from = -1, to = at;
  for (let i = 0; i < words.length; i += 1) {
    const word = new RegExp(words[i], "gi");
    word.lastIndex = to;
    const match = word.exec(text);
    if (match === null) return null;
    if (i === 0) from = match.index;
    else if (match.index - to > MAX_GAP) return { from, to: -1 };
    to = match.index + match[0].length;
  }
  return { from, to };
};
// Whether the pattern is found once the pieces that nobody sees are left out, as of a sentence with a hidden middle.
const findBroken = (known, pattern, words) => {
  let at = 0;
  for (let n = 0; n < MAX_PLACES && words.length > 1; n += 1) {
    const place = wordsFrom(known.text, words, at);
    if (place === null) return false;
    at = place.from + 1;
    let text = "";
    for (let i = pieceAt(known, place.from); i < known.nodes.length && known.starts[i] < place.to; i += 1) {
      const end = i + 1 < known.starts.length ? known.starts[i + 1] : known.text.length;
      if (isBlankPiece(known.nodes[i]) || isPieceSeen(known, i, known.starts[i], end)) {
        text += known.text.slice(known.starts[i], end);
      }
    }
    if (pattern.test(text)) return true;
  }
  return false;
};
// Whether a visitor reads the pattern in that part of the document, across tags and line breaks. `words` are the words
// of the pattern.
const findSeen = (root, pattern, words) => {
  const known = sentencesOf(root);
  const search = new RegExp(pattern.source, "gi");
  for (let match = search.exec(known.text); match !== null; match = search.exec(known.text)) {
    if (match[0] === "") return false;
    const from = match.index, to = from + match[0].length;
    let seen = true;
    for (let i = pieceAt(known, from); seen && i < known.nodes.length && known.starts[i] < to; i += 1) {
      seen = isBlankPiece(known.nodes[i]) || isPieceSeen(known, i, from, to);
    }
    if (seen) return true;
  }
  return findBroken(known, pattern, words);
};
