"""JavaScript that tells what a visitor sees of a document: its texts as sentences, and whether an element is seen.

Hidden pages are not laid out, and asking for layout costs much. So texts are looked for in the source first; only where
one was found are styles and boxes asked for. A document that was fetched and never shown (`doc` of an `XMLHttpRequest`)
has no styles: there, what its markup hides is hidden.

Needs `doc`. Gives `textOf(node, split)`, `isSeen(element)`, `findSeen(root, pattern)` and `forgetSeen()`.
"""

from __future__ import annotations

SEEN = r"""
  const view = doc.defaultView;
  const isName = (node, names) => names.indexOf(" " + node.nodeName.toLowerCase() + " ") >= 0;
  const UNSEEN = " script style noscript template head datalist object audio video iframe canvas textarea ";
  const INLINE = " a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark meter nobr " +
    "output q rp rt ruby s samp small span strike strong tt time u var wbr sub sup ";
  const MAX_DEPTH = 400, MAX_NODES = 200000;

  // Calls `text(node)` for every text of a subtree, `border(element)` where an element begins or ends.
  const walk = (root, text, border, skips) => {
    let node = root, depth = 0, count = 0;
    while (node !== null && count < MAX_NODES) {
      count += 1;
      let inside = null;
      if (node.nodeType === 3) text(node);
      else if (node.nodeType === 1 && !(skips(node) && node !== root)) {
        if (node !== root) border(node);
        inside = depth < MAX_DEPTH ? node.firstChild : null;
      } else if (node.nodeType === 9 || node.nodeType === 11) inside = node.firstChild;
      if (inside !== null) {
        depth += 1;
        node = inside;
        continue;
      }
      while (node !== root && node.nextSibling === null) {
        node = node.parentNode;
        depth -= 1;
        if (node === null || node === root) return;
        border(node);
      }
      if (node === root) return;
      if (node.nodeType === 1) border(node);
      node = node.nextSibling;
    }
  };

  const isSourceOnly = (element) => isName(element, " script style noscript template ");
  // `split` puts a space at every border of elements, for numbers: <b>$119</b><sup>95</sup> are two of them. Digits
  // that stand in elements of their own, and signs between them, stay together.
  const textOf = (element, split) => {
    let out = "", pending = false, last = "";
    walk(element, (node) => {
      const data = node.data;
      if (data === "") return;
      const lone = (piece) => piece.length === 1 && ".,0123456789".indexOf(piece) >= 0;
      const sign = (piece) => piece === "." || piece === ",";
      const joined = split && pending === "inline" && ((lone(data) && lone(last)) || sign(data) || sign(last));
      if (pending && !joined && (split || pending === "block")) out += " ";
      pending = false;
      out += data;
      last = data;
    }, (border) => {
      const inline = isName(border, INLINE) && !(split && isName(border, " sup sub "));
      pending = inline && pending !== "block" ? "inline" : "block";
    }, isSourceOnly);
    return out;
  };

  let seenElements = new Map();
  const forgetSeen = () => { seenElements = new Map(); };
  const isHiddenByMarkup = (element) => {
    if (isName(element, UNSEEN)) return true;
    const parent = element.parentNode;
    const isClosed = parent !== null && parent.nodeName === "DETAILS" && !parent.hasAttribute("open");
    if (isClosed && element.nodeName !== "SUMMARY") return true;
    if (view !== null) return false;
    const style = element.getAttribute("style") || "";
    return element.hasAttribute("hidden") || (element.nodeName === "DIALOG" && !element.hasAttribute("open")) ||
      /display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(\.0*)?\s*(;|$)/i.test(style);
  };
  const isStyledAway = (element) => {
    const style = view.getComputedStyle(element);
    if (style.display === "none" || style.contentVisibility === "hidden") return true;
    if (style.opacity === "0" && element.getAnimations().length === 0) return true;
    if (/^inset\((50|100)%/.test(style.clipPath) || style.clip === "rect(0px, 0px, 0px, 0px)") return true;
    if (style.overflowX === "visible" && style.overflowY === "visible") return false;
    if (style.display === "contents" || element === doc.documentElement || element === doc.body) return false;
    const box = element.getBoundingClientRect();
    return box.width < 2 || box.height < 2;
  };
  // An element and everything around it, without its own box.
  const isOpen = (element) => {
    const chain = [];
    let open = true;
    for (let node = element; node !== null && node.nodeType === 1; node = node.parentNode) {
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
  const hasPlace = (boxes) => {
    for (let i = 0; i < boxes.length; i += 1) {
      const box = boxes[i];
      const right = box.right + view.scrollX, bottom = box.bottom + view.scrollY;
      if (box.width > 0 && box.height > 0 && right > 0 && bottom > 0) return true;
    }
    return false;
  };
  const isDrawn = (node) => {
    if (view === null) return true;
    const element = node.nodeType === 1 ? node : node.parentNode;
    if (view.getComputedStyle(element).visibility !== "visible") return false;
    if (node.nodeType === 1) return hasPlace(node.getClientRects());
    const range = doc.createRange();
    range.selectNodeContents(node);
    return hasPlace(range.getClientRects());
  };
  // Elements that are never drawn, such as a meta, count by being there.
  const isSeen = (element) => {
    if (isName(element, " meta link script style title template base input ")) {
      const drawn = element.nodeName === "INPUT" && element.type !== "hidden";
      if (!drawn) return true;
    }
    return isOpen(element) && isDrawn(element);
  };

  // Whether a visitor reads the pattern in that part of the document, across tags and line breaks.
  const findSeen = (root, pattern) => {
    const nodes = [], starts = [];
    let out = "", pending = false;
    walk(root, (node) => {
      if (pending && out !== "") out += " ";
      pending = false;
      starts[starts.length] = out.length;
      nodes[nodes.length] = node;
      out += node.data;
    }, (border) => { if (!isName(border, INLINE)) pending = true; }, isHiddenByMarkup);
    const search = new RegExp(pattern.source, "gi");
    for (let match = search.exec(out); match !== null; match = search.exec(out)) {
      if (match[0] === "") return false;
      let seen = true, low = 0, high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle] <= match.index) low = middle;
        else high = middle - 1;
      }
      for (let i = low; seen && i < nodes.length && starts[i] < match.index + match[0].length; i += 1) {
        const data = nodes[i].data;
        if (/^\s*$/.test(data)) continue;
        seen = isOpen(nodes[i].parentNode) && isDrawn(nodes[i]);
      }
      if (seen) return true;
    }
    return false;
  };
"""
