// What stands in a page and could be a fact: its own names, the scripts that hold JSON, its elements.
//
// Works by what `page_script` gives. In (`spec`): `most`, how many elements are told;
// `textChars`, of the page's text; `within`, milliseconds for the elements; `apart`, words of the page's own address.
// Returns `{title, text, isJson, scripts, names, elements, cut}`.

(spec) => {
  const page = document;
  /* page_script */
const SHORT = 300, LONGEST = 2000, MAX_SCRIPTS = 60, MAX_NAMES = 200, MAX_WALKED = 30000;
const blanksToOne = (text) => legible(text).replace(/[\s\u00a0]+/g, " ").trim();
const wholeText = (node) => {
  const text = contentOf(node);
  return text.length > 20 * SHORT ? null : blanksToOne(textOf(node, true));
};

// Scripts that hold JSON, and names of variables that inline scripts set.

const typeOfScript = (node) => (attributeOf(node, "type") || "").toLowerCase();
const scriptsOf = () => {
  const found = [], nodes = allIn(page, "script:not([src])");
  for (let i = 0; i < nodes.length && found.length < MAX_SCRIPTS; i += 1) {
    const type = typeOfScript(nodes[i]), text = contentOf(nodes[i]);
    const isCode = type === "" || /javascript|module/.test(type);
    const isData = /json/.test(type) || (!isCode && /^\s*[{[]/.test(text));
    if (!isCode && !isData) continue;
    if (text.length < 20 || !/[{[]/.test(text)) continue;
    const selectors = isData || attributeOf(nodes[i], "id") ? selectorsOf(nodes[i]) : [];
    if (selectors.length === 0 || selectors[0].steadiness === "placed") selectors.unshift(...typedScript(nodes[i], type));
    found.push({ selectors, isData, isStandard: /ld\+json/.test(type) });
  }
  return found;
};
const typedScript = (node, type) => {
  const css = `script[type=${quoted(attributeOf(node, "type") || "")}]`;
  return type !== "" && !/javascript|module/.test(type) && isFirst(node, css) ? [{ css, steadiness: "meant" }] : [];
};
const SET = /(?:^|[;\n{}(,]|\b(?:var|let|const)\s)\s*(?:(?:window|self|globalThis)\s*(?:\.\s*([A-Za-z_$][\w$]*)|\[\s*["']([A-Za-z_$][\w$]*)["']\s*\])|(?:var|let|const)?\s*([A-Za-z_$][\w$]*))\s*=\s*(?:[{[]|JSON\.parse|\w+\.parse)/g;
const namesInScripts = () => {
  const names = new Set(), nodes = allIn(page, "script:not([src])");
  for (let i = 0; i < nodes.length && names.size < MAX_NAMES; i += 1) {
    if (/json|template|html/.test(typeOfScript(nodes[i]))) continue;
    const text = contentOf(nodes[i]).slice(0, 2000000);
    for (const match of text.matchAll(SET)) {
      if (names.size < MAX_NAMES) names.add(match[1] || match[2] || match[3]);
    }
  }
  return [...names];
};

// Which tokens are words, and which are made by a program that makes others tomorrow.

const KNOWN = /price|prc|name|title|stock|sold|avail|product|prod|prd|goods|item|detail|cart|buy|image|img|photo|thumb|brand|sale|disc|cost|amount|amt|total|info|label|value|status|state|badge|button|btn|desc|text|txt|cell|list|card|main|head|body|foot|wrap|box|area|option|opt|qty|money|currency|origin|final|consumer|percent|rate|old|new|now|was|preis|precio|prix|prezzo|preco|kakaku|gakuhin|sangpum|gage|jaego/i;
const FAMILIAR = new Set(["b2b", "b2c", "i18n", "a11y", "w3c", "p1", "p2", "h1", "h2", "h3", "h4", "h5", "h6", "2xl",
  "3xl", "4xl", "2xs", "3d", "2d", "4k"]);
const RARE = /[bcdfghjklmnpqrstvwxz]{6}|[aeiou]{5}|q[^u]|[^aeiourlstncdmpgb]x[^aeioupt]|j[bcdfghjklmnpqrtvwxyz]|v[bcdfghjkmnpqtwxz]|[bcfgjkmpqvwxz]q|x[bdfgjkqrsvwz]|z[bfgjkpqrsvx]|w[jqvxz]|[fhjkmpqvw]z|[bdgkmpqtvwxz]j|[cgjqvxz]v|k[fgqxz]|g[qxz]/;
const isHashPart = (part) => {
  const low = part.toLowerCase();
  if (/^\d+$/.test(part)) return part.length >= 3;
  if (FAMILIAR.has(low) || /^v\d$/.test(low)) return false;
  if (/\d/.test(part)) {
    if (/[a-z]\d+[a-z]/i.test(part) || /^\d/.test(part)) return true;
    const letters = part.replace(/\d+$/, "");
    return letters.length < 3 || part.length - letters.length > 2 || isHashPart(letters);
  }
  if (/[^\x00-\x7f]/.test(part)) return false;
  const humps = part.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) || [part];
  const isMixed = humps.length > 1;
  if (isMixed && part.length / humps.length < 3) return true;
  if (isMixed && /[A-Z]{2,}[a-z]*[A-Z]|[a-z][A-Z]$/.test(part) && !KNOWN.test(part)) return true;
  if (isMixed && !KNOWN.test(part) && humps.some((hump) => /^[b-df-hj-np-tv-xz]{3,}$/i.test(hump))) return true;
  for (let i = 0; i < humps.length; i += 1) {
    const hump = humps[i].toLowerCase();
    if (hump.length >= 5 && !KNOWN.test(hump)) {
      const vowels = (hump.match(/[aeiouy]/g) || []).length;
      if (vowels === 0 || vowels / hump.length < 0.13 || RARE.test(hump)) return true;
    }
  }
  return false;
};
const MAKERS = new Set(["css", "sc", "jss", "jsx", "svelte", "astro", "emotion", "e", "ng", "c", "s", "v"]);
const STYLES = new Set(["styles", "style", "module", "modules", "css", "sc", "jss", "jsx", "index", "mui", "makestyles",
  "data", "tns"]);
const STEPS = /[^-_]+|[-_]+/g;
// {kind: "word" | "worded" | "none", prefix, suffix}
const readToken = (token) => {
  if (token.length > 80 || /[^\w\u0080-\uffff-]/.test(token) || isOfAddress(token)) return { kind: "none" };
  if (/^[0-9a-f]{6,}$/i.test(token) && /\d/.test(token)) return { kind: "none" };
  const steps = token.match(STEPS) || [];
  const hashed = [];
  let any = false;
  for (let i = 0; i < steps.length; i += 1) {
    const isPart = !/^[-_]/.test(steps[i]);
    const before = i >= 2 ? steps[i - 2] : "";
    let hash = isPart && isHashPart(steps[i]);
    // After the name of a maker everything is made; the last part of a module's class is, where it is short and mixed.
    if (isPart && i === 2 && MAKERS.has(before.toLowerCase()) && steps[i].length >= 5 && !isPlain(steps[i])) hash = true;
    if (isPart && i >= 2 && before === "sc") hash = true;
    if (isPart && i === steps.length - 1 && i >= 2 && /__$|--$/.test(steps[i - 1]) && /[A-Z]/.test(steps[i]) &&
      /[a-z]/.test(steps[i]) && steps[i].length <= 8 && !KNOWN.test(steps[i])) hash = true;
    if (isPart && i === steps.length - 1 && i >= 2 && steps[0].toLowerCase() === "makestyles" && /^\d+$/.test(steps[i])) {
      hash = true;
    }
    hashed[i] = hash;
    any = any || hash;
  }
  if (!any) return { kind: "word" };
  let first = 0;
  while (first < steps.length && !hashed[first]) first += 1;
  let last = steps.length - 1;
  while (last >= 0 && !hashed[last]) last -= 1;
  const prefix = steps.slice(0, first).join(""), suffix = steps.slice(last + 1).join("");
  if (isTelling(prefix)) return { kind: "worded", prefix, suffix: "" };
  if (isTelling(suffix)) return { kind: "worded", prefix: "", suffix };
  return { kind: "none" };
};
const isPlain = (part) => KNOWN.test(part) && !/\d/.test(part);
const isTelling = (text) => {
  const parts = text.split(/[-_]+/);
  for (let i = 0; i < parts.length; i += 1) {
    if (parts[i].length >= 3 && !STYLES.has(parts[i].toLowerCase()) && !MAKERS.has(parts[i].toLowerCase())) return true;
  }
  return false;
};
const isOfAddress = (token) => {
  const low = token.toLowerCase();
  for (let i = 0; i < spec.apart.length; i += 1) if (low.indexOf(spec.apart[i]) >= 0) return true;
  return false;
};
const UTILITY = /^-?(?:[a-z]+:|\d|(?:m|p)[trblxyse]?-|(?:text|font|bg|border|flex|grid|gap|w|h|min|max|items|justify|rounded|shadow|leading|tracking|space|align|order|overflow|z|opacity|top|left|right|bottom|col|row|float|pull|d|fs|fw|lh|g|gx|gy|basis|grow|shrink|ring|object|cursor|transition|duration|ease|animate|self|place|content|inset|aspect|whitespace|break|list|select|pointer|sr|line|size|from|to|via)-|(?:flex|grid|block|inline|hidden|absolute|relative|fixed|sticky|static|container|clearfix|row|col|truncate|underline|uppercase|lowercase|capitalize|italic|visible|invisible|contents|shadow|border|rounded|transition|antialiased|active|selected|open|opened|loaded|loading|lazy|lazyload|lazyloaded|hover|focus|current|show|shown|fade|in|on|first|last|odd|even|clear|left|right|center|ng-star-inserted)$|is-(?:active|open|selected|loaded|visible))/;
const classesOf = (node) => {
  const said = attributeOf(node, "class");
  return said === null ? [] : said.split(/\s+/).filter((token) => token !== "" && !UTILITY.test(token)).slice(0, 12);
};

// Selectors.

const ORDER = ["meant", "named", "worded", "placed"];
const worse = (one, other) => (ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other);
const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\a ")}"`;
const tagOf = (node) => CSS.escape(nameOf(node).toLowerCase());
let inShadow = false;
const isFirst = (node, css) => {
  try {
    return (inShadow ? firstIn(page, css) : oneIn(page, css)) === node;
  } catch (error) {
    return false;
  }
};
const FOR_PROGRAMS = /^data-(?:testid|test-id|test|qa|qa-id|cy|hook|tid|auto|automation|automation-id|e2e|selenium|component|element|role|ui|ref|product|field|name|key|label|type|block|section)$/;
const TELLING = /price|stock|sku|avail|sold|brand|product|goods|item|currency|amount|status|image/;
const isSteadyValue = (value) => value !== "" && value.length <= 60 && !/\d{3,}|[{}"\\]/.test(value) &&
  !isOfAddress(value) && readParts(value);
const readParts = (value) => {
  const parts = value.split(/[\s.:/]+/);
  for (let i = 0; i < parts.length; i += 1) if (parts[i] !== "" && readToken(parts[i]).kind !== "word") return false;
  return true;
};
// What an element alone is known by: [css, steadiness], best first.
const ownParts = (node) => {
  const tag = tagOf(node), parts = [];
  const add = (css, steadiness) => { parts.push([css, steadiness]); };
  if (hasAttribute(node, "itemprop")) add(`[itemprop=${quoted(attributeOf(node, "itemprop"))}]`, "meant");
  if (tag === "meta" || tag === "link") {
    for (const name of ["property", "name", "rel"]) {
      if (hasAttribute(node, name)) add(`${tag}[${name}=${quoted(attributeOf(node, name))}]`, "meant");
    }
    return parts;
  }
  const names = node.getAttributeNames();
  for (let i = 0; i < names.length && i < 60; i += 1) {
    if (!/^data-[a-z][a-z0-9_.-]*$/.test(names[i])) continue;
    const value = attributeOf(node, names[i]), isWord = readToken(names[i].slice(5)).kind === "word";
    if ((FOR_PROGRAMS.test(names[i]) || tag === "script") && isSteadyValue(value)) add(`[${CSS.escape(names[i])}=${quoted(value)}]`, "meant");
    else if (isWord && TELLING.test(names[i])) add(`[${CSS.escape(names[i])}]`, "meant");
  }
  const label = attributeOf(node, "name");
  if (label && /^(?:input|select|textarea|button|form|iframe)$/.test(tag) && isSteadyValue(label)) {
    add(`${tag}[name=${quoted(label)}]`, "meant");
  }
  const id = attributeOf(node, "id");
  if (id && /^\S+$/.test(id)) {
    const read = readToken(id);
    if (read.kind === "word" && !/\d{2,}/.test(id)) add(`#${CSS.escape(id)}`, "named");
    else if (read.kind === "worded") add(partly("id", read), "worded");
  }
  const classes = classesOf(node), words = [];
  for (let i = 0; i < classes.length; i += 1) {
    const read = readToken(classes[i]);
    if (read.kind === "word") words.push(`.${CSS.escape(classes[i])}`);
    else if (read.kind === "worded") add(partly("class", read), "worded");
  }
  for (let i = 0; i < words.length; i += 1) add(words[i], "named");
  for (let i = 0; i < words.length; i += 1) add(tag + words[i], "named");
  if (words.length > 1) add(words.slice(0, 3).join(""), "named");
  const type = attributeOf(node, "type");
  if (type && tag !== "script" && /^[a-z]+$/.test(type)) add(`${tag}[type=${type}]`, "placed");
  return parts.sort((one, other) => ORDER.indexOf(one[1]) - ORDER.indexOf(other[1]));
};
const partly = (name, read) => (read.prefix !== ""
  ? `:is([${name}^=${quoted(read.prefix)}], [${name}*=${quoted(" " + read.prefix)}])`
  : `:is([${name}$=${quoted(read.suffix)}], [${name}*=${quoted(read.suffix + " ")}])`);
const ROOTS = /^(?:root|app|__next|__nuxt|___gatsby|gatsby-focus-wrapper|wrap|wrapper|page|container|svelte)$/i;
const SCOPES = /^(?:MAIN|ARTICLE|FORM|HEADER|SECTION|DL|TABLE)$/;
const scopeCache = new Map();
// What an element's surroundings are known by, nearest first: [css, steadiness].
const scopesOf = (node) => {
  const parent = parentOf(node);
  if (parent === null || typeOf(parent) !== 1 || nameOf(parent) === "BODY" || nameOf(parent) === "HTML") return [];
  if (scopeCache.has(parent)) return scopeCache.get(parent);
  const own = ROOTS.test(attributeOf(parent, "id") || "") ? [] :
    ownParts(parent).slice(0, 3).map(([css, steadiness]) => [css, steadiness, parent]);
  if (SCOPES.test(nameOf(parent))) own.push([tagOf(parent), "placed", parent]);
  const all = own.concat(scopesOf(parent)).slice(0, 14);
  scopeCache.set(parent, all);
  return all;
};
const stepTo = (node) => {
  const tag = tagOf(node), parent = parentOf(node);
  let place = 0, count = 0;
  for (let one = firstElementOf(parent); one !== null; one = nextElementOf(one)) {
    if (nameOf(one) === nameOf(node)) count += 1;
    if (one === node) place = count;
  }
  return count > 1 ? `${tag}:nth-of-type(${place})` : tag;
};
// The way down from an element to one within it, as a selector's end.
const wayTo = (node, top, most) => {
  const steps = [];
  for (let one = node; one !== top; one = parentOf(one)) {
    if (one === null || typeOf(one) !== 1 || steps.length >= most) return null;
    steps.unshift(stepTo(one));
  }
  return steps.join(" > ");
};
let headings = null;
const headingOf = () => {
  if (headings === null) {
    headings = [];
    const nodes = allIn(page, "h1, h2, h3");
    for (let i = 0; i < nodes.length && headings.length < 12; i += 1) {
      if (wholeText(nodes[i]) && isSeen(nodes[i])) headings.push(nodes[i]);
    }
    headings.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : nameOf(one) > nameOf(other) ? 1 : 0));
  }
  return headings;
};
const placesOf = (node, add) => {
  const tag = tagOf(node);
  if (/^(?:h1|h2|h3|img|button|select|table|dl|s|del|strike|ins)$/.test(tag)) {
    add(`main ${tag}`, "placed");
    add(tag, "placed");
  }
  // From a heading that stands near.
  for (const heading of headingOf()) {
    if (heading === node) continue;
    let around = parentOf(heading), has = `> ${tagOf(heading)}`;
    for (let depth = 0; depth < 4 && around !== null && typeOf(around) === 1 && nameOf(around) !== "BODY"; depth += 1) {
      if (around.contains(node)) {
        const way = wayTo(node, around, 5);
        if (depth === 0 && parentOf(node) === around) {
          if (nextElementOf(heading) === node) add(`${tagOf(heading)} + ${tag}`, "placed");
          add(`${tagOf(heading)} ~ ${tag}`, "placed");
        }
        if (way !== null) add(`*:has(${has}) > ${way}`, "placed");
        break;
      }
      has = `> * ${has}`;
      around = parentOf(around);
    }
  }
  for (const [css, , top] of scopesOf(node).slice(0, 8)) {
    const way = wayTo(node, top, 4);
    if (way !== null && add(`${css} > ${way}`, "placed")) break;
  }
};
const lastPlace = (node) => {
  const steps = [];
  let one = node;
  for (; one !== null && typeOf(one) === 1 && nameOf(one) !== "BODY" && nameOf(one) !== "HTML"; one = parentOf(one)) {
    steps.unshift(stepTo(one));
    if (steps.length > 12) return null;
  }
  return steps.length === 0 ? null : `${one !== null && nameOf(one) === "BODY" ? "body > " : ""}${steps.join(" > ")}`;
};
const selectorsOf = (node) => {
  inShadow = typeOf(rootNodeOf(node)) === 11;
  const found = [], counts = { meant: 0, named: 0, worded: 0, placed: 0 }, tried = new Set();
  const add = (css, steadiness) => {
    if (css.length > 300 || tried.has(css) || counts[steadiness] >= 2) return false;
    tried.add(css);
    if (!isFirst(node, css)) return false;
    counts[steadiness] += 1;
    found.push({ css, steadiness });
    return true;
  };
  const own = ownParts(node), tag = tagOf(node);
  for (const [css, steadiness] of own) add(css, steadiness);
  const scopes = scopesOf(node);
  for (const [css, steadiness] of own.slice(0, 5)) {
    for (const [scope, how] of scopes) {
      if (found.length >= 3) break;
      add(`${scope} ${css}`, worse(steadiness, how));
    }
  }
  for (const [scope, how, top] of scopes) {
    if (found.length >= 3) break;
    // A tag within what has a name is known by that name, unless it must be counted.
    const isChild = parentOf(node) === top, way = isChild ? stepTo(node) : tag;
    const steadiness = !isChild || /:/.test(way) ? "placed" : worse("named", how);
    add(isChild ? `${scope} > ${way}` : `${scope} ${way}`, steadiness);
  }
  if (tag === "a") addPlaceOfLinks(node, found);
  if (tag !== "meta" && tag !== "link" && tag !== "script") placesOf(node, add);
  if (found.length === 0) {
    const css = lastPlace(node);
    if (css !== null) add(css, "placed");
  }
  return found.sort((one, other) => ORDER.indexOf(one.steadiness) - ORDER.indexOf(other.steadiness)).slice(0, 5);
};
// Where a few links stand for buttons, what stands in their place says it, whichever of them is there.
const MOST_LINKS = 6;
const addPlaceOfLinks = (node, found) => {
  for (const [css, steadiness, top] of scopesOf(node)) {
    if (steadiness !== "meant" && steadiness !== "named") continue;
    if (wayTo(node, top, 2) === null) return;
    const whole = `${css} a`;
    if (allIn(page, css).length === 1 && allIn(page, whole).length <= MOST_LINKS && isFirst(node, whole)) {
      found.push({ css: whole, steadiness });
      return;
    }
  }
};
const rootNodeOf = (node) => Node.prototype.getRootNode.call(node);

// Elements.

const isControl = (node) => {
  const name = nameOf(node);
  if (name === "BUTTON" || name === "SELECT" || name === "INPUT") return true;
  const role = attributeOf(node, "role") || "";
  return role === "button" || (name === "A" && /\b(?:btn|button|cart|buy)/i.test(attributeOf(node, "class") || ""));
};
const isSteady = (node) => hasAttribute(node, "itemprop") || hasAttribute(node, "id") || dataOf(node).length > 0;
const dataOf = (node) => node.getAttributeNames().filter((name) => name.slice(0, 5) === "data-");
const SKIPPED = /^(?:SCRIPT|STYLE|NOSCRIPT|TEMPLATE|HEAD|HTML|TITLE|BASE|BR|HR|SVG|PATH|IFRAME|OBJECT|VIDEO|AUDIO|SOURCE|OPTION|SLOT)$/i;
const holdsText = (node) => {
  let holds = false;
  for (let one = firstOf(node); one !== null && !holds; one = nextOf(one)) {
    holds = typeOf(one) === 3 && one.data.trim() !== "";
  }
  return holds;
};
const isTold = (node) => {
  const name = nameOf(node);
  if (SKIPPED.test(name) || node.namespaceURI === "http://www.w3.org/2000/svg") return null;
  if (name === "META") return hasAttribute(node, "content") ? attributeOf(node, "content") : null;
  if (name === "LINK") return hasAttribute(node, "itemprop") ? attributeOf(node, "href") : null;
  if (name === "IMG") return attributeOf(node, "alt") || "";
  if (name === "INPUT") return /^(?:submit|button|reset|hidden|number|text|radio|)$/i.test(node.type) ? node.value : null;
  const text = name === "BODY" ? null : wholeText(node);
  const isShort = text !== null && text !== "" && text.length <= SHORT;
  if (isControl(node)) return text === null ? "" : text.slice(0, SHORT);
  if (isShort && holdsText(node)) return text;
  if (isShort && isSteady(node)) return text;
  if (isShort && firstElementOf(node) !== null) {
    for (let one = firstElementOf(node); one !== null; one = nextElementOf(one)) if (wholeText(one) === text) return null;
    return text;
  }
  const telling = dataOf(node).some((data) => TELLING.test(data)) || hasAttribute(node, "itemprop");
  return telling ? (isShort ? text : "") : null;
};
const attributesOf = (node) => {
  const out = {}, names = node.getAttributeNames();
  for (let i = 0; i < names.length && i < 40; i += 1) {
    if (names[i] === "style" || names[i].slice(0, 2) === "on") continue;
    out[names[i]] = attributeOf(node, names[i]).slice(0, LONGEST);
  }
  if (nameOf(node) === "IMG" && node.currentSrc) out.src = out.src || node.currentSrc.slice(0, LONGEST);
  return out;
};
const isLinedThrough = (node) => {
  for (let one = node, depth = 0; one !== null && typeOf(one) === 1 && depth < 6; one = aroundOf(one), depth += 1) {
    if (/line-through/.test(view.getComputedStyle(one).textDecorationLine)) return true;
    if (nameOf(one) === "BODY") break;
  }
  return false;
};
const isStruck = (node) => {
  let some = false, all = true;
  walk(node, (text) => {
    if (text.data.trim() === "" || !all) return;
    some = true;
    all = isLinedThrough(aroundOf(text) || node);
  }, () => {}, isSourceOnly);
  return some && all;
};
const fontOf = (node) => {
  let size = 0;
  walk(node, (text) => {
    if (size > 0 || text.data.trim() === "" || aroundOf(text) === null) return;
    size = parseFloat(view.getComputedStyle(aroundOf(text)).fontSize) || 0;
  }, () => {}, isSourceOnly);
  return size || parseFloat(view.getComputedStyle(node).fontSize) || 0;
};
const nearText = (node) => {
  const id = attributeOf(node, "id");
  if (id) {
    const label = allIn(page, `label[for=${quoted(id)}]`)[0];
    if (label) return (wholeText(label) || "").slice(0, 80);
  }
  if (nameOf(node) === "TD" || nameOf(node) === "TH") {
    const row = parentOf(node), head = row === null ? null : row.querySelector("th");
    if (head !== null && head !== node) return (wholeText(head) || "").slice(0, 80);
  }
  for (let one = node, depth = 0; one !== null && typeOf(one) === 1 && depth < 3; one = parentOf(one), depth += 1) {
    for (let before = one.previousElementSibling; before; before = before.previousElementSibling) {
      const text = SKIPPED.test(nameOf(before)) ? "" : wholeText(before);
      if (text) return text.length <= 80 ? text : "";
    }
    if (nameOf(one) === "BODY") break;
  }
  return attributeOf(node, "aria-label") || "";
};
const seenBox = (node) => {
  const box = node.getBoundingClientRect();
  return { top: box.top + view.scrollY, left: box.left + view.scrollX, width: box.width, height: box.height };
};
const elementsOf = (cut) => {
  const start = now(), main = oneIn(page, "main, [role=main], article, #content, #main");
  const walked = [...allIn(page, "*")].slice(0, MAX_WALKED);
  if (allIn(page, "*").length > MAX_WALKED) cut.push(`the page has more than ${MAX_WALKED} elements`);
  for (const { root } of rootsIn(page)) walked.push(...[...allIn(root, "*")].slice(0, 5000));
  if (hasManyRoots()) cut.push(`the page has more than ${MAX_ROOTS} shadow roots`);
  const told = [];
  for (const node of walked) {
    if (now() - start > spec.within / 3) {
      cut.push("looking at all elements took too long: the last ones of the page are left out");
      break;
    }
    const text = isTold(node);
    if (text === null) continue;
    const box = seenBox(node), isHead = nameOf(node) === "META" || nameOf(node) === "LINK";
    const isMain = main !== null && main.contains(node);
    const rank = isHead ? -1e6 : box.top + (isMain ? 0 : 2000) + (box.width * box.height > 0 ? 0 : 4000);
    told.push({ node, text: blanksToOne(text).slice(0, isHead ? LONGEST : SHORT), box, rank, at: told.length });
  }
  if (told.length > spec.most) {
    cut.push(`there are ${told.length} elements that could hold a fact: ${spec.most} are looked at, those of the top`);
    told.sort((one, other) => one.rank - other.rank || one.at - other.at).splice(spec.most);
    told.sort((one, other) => one.at - other.at);
  }
  forgetSeen();
  const out = [];
  for (const { node, text, box } of told) {
    if (now() - start > spec.within) {
      cut.push(`finding selectors took too long: ${told.length - out.length} elements are left out`);
      break;
    }
    const isHead = nameOf(node) === "META" || nameOf(node) === "LINK";
    const selectors = selectorsOf(node);
    if (selectors.length === 0) continue;
    out.push({
      tag: nameOf(node).toLowerCase(),
      text,
      selectors,
      attributes: attributesOf(node),
      visible: !isHead && isSeen(node) && !(nameOf(node) === "INPUT" && node.type === "hidden"),
      struck: !isHead && text !== "" && isStruck(node),
      font_px: isHead ? 0 : fontOf(node),
      top_px: box.top,
      left_px: box.left,
      width_px: box.width,
      height_px: box.height,
      near: isHead ? "" : nearText(node),
    });
  }
  return out;
};

const pageText = () => {
  const body = doc.body;
  if (body === null) return "";
  const own = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "innerText").get.call(body);
  const shadows = rootsIn(page).length > 0 ? " " + shadowTextOf(page) : "";
  return blanksToOne(own + shadows);
};
const evidence = () => {
  const cut = [], text = pageText();
  if (text.length > spec.textChars) cut.push(`the text is ${text.length} characters long: ${spec.textChars} are kept`);
  const isJson = /json/.test(doc.contentType);
  return {
    title: blanksToOne(typeof doc.title === "string" ? doc.title : ""),
    text: text.slice(0, spec.textChars),
    isJson,
    scripts: scriptsOf(),
    names: namesInScripts(),
    fresh: Object.getOwnPropertyNames(window),
    elements: isJson || view === null ? [] : elementsOf(cut),
    cut,
  };
};
  return evidence();
}
