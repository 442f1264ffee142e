// JavaScript that looks for elements in open shadow roots and in frames as well as in the document itself.
//
// A selector is looked for in the document first. Shadow roots follow, in the order of their hosts, only if that finds
// nothing: most pages have none, and finding them takes a walk over all elements. The walk is repeated only if
// something was missed, and not before 0.2 s, or twenty times its own duration, have passed. A space in a selector
// crosses from a host into its shadow root: `product-card .price`.
//
// Needs what `document_script` and `seen_script` give. Gives `now()`, and:
// - `pageOf(frame)`: the document of the first frame that fits the selector; the page's own for ""; null if it is out
//   of reach. Then `frameTrouble(frame)` says why: 1 there is no such frame, 2 it is of another origin, 3 it is still
//   loading; 0 means no trouble;
// - `isFrameSeen(frame)`: whether a visitor sees that frame;
// - `firstIn(top, selector)`: the first such element of a document, null if there is none;
// - `someIn(top, selector, isEnough, suffices)`: calls `isEnough` with each element until that is true, up to
//   `MAX_ELEMENTS` in the document and as many in its shadow roots; the latter are skipped if `suffices()` is true.
//   Returns how many elements there are if there are more than that, else 0;
// - `shadowTextOf(top)`: the texts of all shadow roots; `rootsIn(top)`: the roots that are known;
// - `lookAfresh()`: the next look does not wait. `isMissing()`: whether anything was missed since then, so that another
//   look is worth it after `pauseMs()`; `hasManyRoots()`: whether there are more roots than are looked at.

const now = () => performance.now();

const MAX_ELEMENTS = 300, MAX_ROOTS = 1000, PAUSE_MS = 200, PAUSE_WITH_ROOTS_MS = 50, MOMENT_MS = 5;
// Only few of HTML's own elements can have a shadow root. Passing the others over makes the walk cheaper.
const HOSTS = ":not(a,b,i,em,strong,small,s,u,sup,sub,br,hr,img,picture,source,svg,svg *,ul,ol,li,dl,dt,dd,table," +
  "tbody,thead,tr,td,th,button,input,select,option,label,form,script,style,link,meta,title,head,html,iframe," +
  "template,noscript)";
const lookedFor = new Map(), crossings = new Map();
let missing = false, manyRoots = false;
const isMissing = () => missing, hasManyRoots = () => manyRoots;

const scan = (top, outer, found) => {
  const nodes = allIn(top, HOSTS);
  for (let i = 0; i < nodes.length; i += 1) {
    const root = shadowOf(nodes[i]);
    if (root === null) continue;
    if (found.length >= MAX_ROOTS) {
      manyRoots = true;
      return;
    }
    found[found.length] = { root, host: nodes[i], outer };
    scan(root, found.length - 1, found);
  }
};
// The known shadow roots of a document. `firsts` has the elements that `firstIn` found, by selector.
const shadowsOf = (top) => {
  let known = lookedFor.get(top);
  const start = now();
  if (known === undefined || known.stale || start - known.at > pauseAfter(known)) {
    known = { found: [], firsts: new Map(), at: start, ms: 0, stale: false };
    scan(top, -1, known.found);
    known.ms = now() - start;
    lookedFor.set(top, known);
  }
  missing = true;
  return known;
};
const pauseAfter = (known) => {
  const least = known.found.length > 0 ? PAUSE_WITH_ROOTS_MS : PAUSE_MS;
  return 20 * known.ms > least ? 20 * known.ms : least;
};
const pauseMs = () => {
  let ms = PAUSE_WITH_ROOTS_MS;
  lookedFor.forEach((known) => { if (pauseAfter(known) > ms) ms = pauseAfter(known); });
  return ms;
};
const lookAfresh = () => {
  missing = manyRoots = false;
  lookedFor.forEach((known) => { known.stale = now() - known.at > MOMENT_MS; });
};
const rootsIn = (top) => shadowsOf(top).found;

// A selector's alternatives, each divided at the spaces that mean "somewhere within".
const cutSelector = (selector) => {
  const all = [[""]];
  let quote = "", depth = 0, spaced = false;
  for (let i = 0; i < selector.length; i += 1) {
    let sign = selector[i];
    const parts = all[all.length - 1], last = parts[parts.length - 1];
    if (sign === "\\") {
      sign += selector[i + 1] || "";
      i += 1;
    } else if (quote !== "") {
      if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === "(" || sign === "[") depth += 1;
    else if (sign === ")" || sign === "]") depth -= 1;
    else if (depth === 0 && sign === ",") {
      all[all.length] = [""];
      spaced = false;
      continue;
    } else if (depth === 0 && /\s/.test(sign)) {
      spaced = true;
      continue;
    }
    if (spaced && last !== "" && !/[>+~]/.test(sign) && !/[>+~]$/.test(last)) parts[parts.length] = sign;
    else parts[parts.length - 1] = last + sign;
    spaced = false;
  }
  return all;
};
// The parts of a selector that are left to look for within a host: those that neither the host nor its ancestors match.
const restWithin = (host, parts) => {
  for (let n = parts.length - 1; n > 0; n -= 1) {
    if (Element.prototype.closest.call(host, parts.slice(0, n).join(" ")) !== null) return parts.slice(n);
  }
  return parts;
};
// Calls `each(root, selector)` with every shadow root and the rest of the selector for it, until that is true.
const inShadows = (found, selector, each) => {
  if (found.length === 0) return false;
  if (!crossings.has(selector)) crossings.set(selector, cutSelector(selector));
  const all = crossings.get(selector), rests = [];
  for (let i = 0; i < found.length; i += 1) {
    const above = found[i].outer < 0 ? all : rests[found[i].outer];
    let text = "";
    rests[i] = [];
    for (let j = 0; j < above.length; j += 1) {
      rests[i][j] = restWithin(found[i].host, above[j]);
      text += (j > 0 ? "," : "") + rests[i][j].join(" ");
    }
    if (each(found[i].root, text)) return true;
  }
  return false;
};

const firstIn = (top, selector) => {
  if (top === null || selector === "") return null;
  let node = oneIn(top, selector);
  if (node !== null) return node;
  const known = shadowsOf(top), start = now();
  if (known.firsts.has(selector)) return known.firsts.get(selector);
  inShadows(known.found, selector, (root, rest) => (node = oneIn(root, rest)) !== null);
  known.firsts.set(selector, node);
  if (known.found.length > 0) known.ms += now() - start;
  return node;
};
const someIn = (top, selector, isEnough, suffices = null) => {
  if (top === null || selector === "") return 0;
  const light = allIn(top, selector);
  for (let i = 0; i < light.length && i < MAX_ELEMENTS; i += 1) if (isEnough(light[i])) return 0;
  if (suffices !== null && suffices()) return light.length > MAX_ELEMENTS ? light.length : 0;
  let count = 0;
  inShadows(rootsIn(top), selector, (root, rest) => {
    const nodes = allIn(root, rest);
    for (let i = 0; i < nodes.length; i += 1) {
      count += 1;
      if (count <= MAX_ELEMENTS && isEnough(nodes[i])) return true;
    }
    return false;
  });
  return light.length > MAX_ELEMENTS || count > MAX_ELEMENTS ? light.length + count : 0;
};
const shadowTextOf = (top) => {
  const found = rootsIn(top);
  let text = "";
  for (let i = 0; i < found.length; i += 1) {
    text += " " + contentOf(found[i].root);
    const buttons = allIn(found[i].root, LABELLED);
    for (let j = 0; j < buttons.length && j < MAX_BUTTONS; j += 1) text += " " + buttons[j].value;
  }
  return text;
};

const contentOfFrame = orNull(getterOf(HTMLIFrameElement, "contentDocument"));
const stateOfDocument = getterOf(Document, "readyState"), addressOf = getterOf(Document, "URL");
const isOnItsWay = (frame, content) => {
  if (stateOfDocument(content) !== "complete") return true;
  if (addressOf(content) !== "about:blank") return false;
  return hasAttribute(frame, "srcdoc") || !/^(?:about:.*|\s*)$/i.test(attributeOf(frame, "src") || "");
};
const frameTrouble = (selector) => {
  if (selector === "") return 0;
  const frame = firstIn(page, selector);
  if (frame === null || nameOf(frame) !== "IFRAME") return 1;
  const content = contentOfFrame(frame);
  if (content === null) return 2;
  return isOnItsWay(frame, content) ? 3 : 0;
};
const pageOf = (selector) => {
  if (selector === "") return page;
  const frame = firstIn(page, selector), content = frame === null ? null : contentOfFrame(frame);
  return content !== null && rootOf(content) !== null ? content : null;
};
const isFrameSeen = (selector) => {
  const frame = selector === "" ? null : firstIn(page, selector);
  return selector === "" || (frame !== null && isFrameDrawn(frame));
};
