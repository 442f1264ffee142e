// JavaScript that reads what a document publishes for search engines: JSON-LD, microdata, RDFa Lite, some metas.
//
// Returns raw data, which `schema_product` interprets. It bounds what it returns and how far it walks, and stops where
// elements refer to each other in circles. It needs no layout and no style, so `doc` may also be a document that was
// fetched and never shown.
//
// Needs what `document_script` gives, `spec.structuredChars` (how many characters may be read altogether) and `textOf`
// of `seen_script`.
//
// `readStructured()` gives `{scripts, items, rdfa, metas, canonical, headings, base, cut}`:
// - `scripts`: the texts of all JSON-LD scripts that hold any; if together they are longer than the bound, only those
//   that name a product, as many as fit;
// - `items`, `rdfa`: microdata and RDFa items as JSON-LD has them: `{"@type": [...], "@id": "...", name: [values]}`, a
//   value being a text or an item; RDFa items may have `"@prefix"`, the prefixes that were declared for them;
// - `metas`: `[name, content]` of Open Graph, and `["title", ...]`;
// - `canonical`, `headings`, `base`: the canonical address, the texts of the first `h1`, the address that relative ones
//   are to be resolved against;
// - `cut`: whether a bound was reached.
//
// `hasStructured()` tells whether there is a product in any of these forms; it is asked whenever the page changes.

const structuredReader = (() => {
  const LD_JSON = 'script[type^="application/ld+json" i]';
  const PRODUCT_JSON =
    /["']@?type["']\s*:\s*(?:\[(?:[^\]{}]{0,300},)?\s*)?["'](?:[^"'\s]{0,60}[\/:#])?(?:PRODUCT_TYPES)["']/i;
  const PRICE_META = 'meta[property="product:price:amount" i], meta[property="og:price:amount" i], ' +
    'meta[name="product:price:amount" i], meta[name="og:price:amount" i]';
  const PRODUCT_TYPE = /(?:^|[\s\/:#])(?:PRODUCT_TYPES)(?:\s|$)/i;
  const KNOWN = /^(?:PROPERTIES)$/i;
  const SCHEMA = /^(?:https?:\/\/(?:www\.)?schema\.org\/|schema:)/i;
  const META = /^(?:og:(?:title|type|url|brand|availability|image(?::url|:secure_url)?|price:\w+)|product:[\w:]+)$/i;
  const PICTURE = /^(?:image|url|contenturl)$/i;
  const ADDRESS = /type$|^(?:url|image|contenturl|availability|itemcondition|mainentityofpage|businessfunction)$/i;
  const MAX_ELEMENTS = 200000, MAX_ITEMS = 2000, MAX_NESTED = 10, MAX_METAS = 100, MAX_HEADINGS = 5;
  const VALUE_CHARS = 2000, VALUE_COST = 20;
  const MICRODATA = { scope: "itemscope", type: "itemtype", property: "itemprop", id: "itemid" };
  const RDFA = { scope: "typeof", type: "typeof", property: "property", id: "resource" };
  let room = 0, elements = 0, isCut = false, nested = null;

  // A text that is too long keeps one character more than allowed, which shows that it is too long.
  const shortOf = (text) => {
    if (text.length <= VALUE_CHARS) return text;
    return (text.length > 10 * VALUE_CHARS ? text : text.replace(/\s+/g, " ")).slice(0, VALUE_CHARS + 1);
  };
  const take = (text) => {
    room -= (text.length < VALUE_CHARS ? text.length : VALUE_CHARS) + VALUE_COST;
    if (room >= 0) return shortOf(text);
    isCut = true;
    return null;
  };
  const wordsOf = (text) => {
    const pieces = text === null ? [] : text.split(/\s+/), words = [];
    for (let i = 0; i < pieces.length; i += 1) if (pieces[i] !== "") words[words.length] = pieces[i];
    return words;
  };

  const attributeFor = (node, name) => {
    switch (nameOf(node).toUpperCase()) {
      case "A": case "AREA": return ADDRESS.test(name) ? "href" : null;
      case "LINK": return "href";
      case "IMG": return PICTURE.test(name) ? "src" : "alt";
      case "AUDIO": case "VIDEO": case "SOURCE": case "EMBED": case "IFRAME": case "TRACK": return "src";
      case "OBJECT": return "data";
      case "DATA": case "METER": case "INPUT": return "value";
      case "TIME": return "datetime";
      default: return null;
    }
  };
  const valueOf = (node, name, form) => {
    const content = attributeOf(node, "content");
    if (content) return take(content);
    if (form === RDFA && attributeOf(node, "resource")) return take(attributeOf(node, "resource"));
    const attribute = attributeFor(node, name);
    let value = attribute === null ? null : attributeOf(node, attribute);
    // A picture that is loaded later has a placeholder in `src` until then.
    if (attribute === "src" && (!value || /^data:/i.test(value))) value = attributeOf(node, "data-src") || value;
    return take(value || textOf(node, /price/i.test(name)));
  };
  // In RDFa, `rel` may also name the property of an item.
  const propertyOf = (node, form) => {
    const said = attributeOf(node, form.property);
    return said === null && form === RDFA && hasAttribute(node, form.scope) ? attributeOf(node, "rel") : said;
  };
  const addTo = (item, node, form, above) => {
    const names = wordsOf(propertyOf(node, form));
    for (let i = 0; i < names.length; i += 1) {
      let name = names[i].replace(SCHEMA, "");
      if (!KNOWN.test(name.slice(name.lastIndexOf(":") + 1))) continue;
      const value = hasAttribute(node, form.scope) ? itemOf(node, form, name, above) : valueOf(node, name, form);
      if (value === null) continue;
      if (/^price$/i.test(name) && node.closest("del, s, strike") !== null) name = "listPrice";
      if (item[name] === undefined) item[name] = [];
      item[name][item[name].length] = value;
    }
  };
  // Adds the properties below `top` to the item. What stands within another item belongs to that one.
  const gather = (top, root, item, form, above) => {
    let node = top;
    while (node !== null) {
      let inside = firstElementOf(node);
      if (node !== root) {
        elements -= 1;
        if (elements < 0 || room < 0) {
          isCut = true;
          return;
        }
        if (propertyOf(node, form) !== null) addTo(item, node, form, above);
        if (hasAttribute(node, form.scope)) inside = null;
      }
      if (inside !== null) {
        node = inside;
        continue;
      }
      while (node !== top && nextElementOf(node) === null) node = parentOf(node);
      if (node === top) return;
      node = nextElementOf(node);
    }
  };
  const itemOf = (root, form, property, above) => {
    if (above.indexOf(root) >= 0) return null;
    if (above.length >= MAX_NESTED) {
      isCut = true;
      return null;
    }
    nested.add(root);
    const item = { "@type": wordsOf(take(attributeOf(root, form.type) || "")) };
    const id = attributeOf(root, form.id) || (form === RDFA ? attributeOf(root, "about") : null);
    if (id) item["@id"] = take(id);
    const inside = above.concat([root]);
    gather(root, root, item, form, inside);
    const references = form === MICRODATA ? wordsOf(attributeOf(root, "itemref")) : [];
    for (let i = 0; i < references.length && i < 100; i += 1) {
      const node = doc.getElementById(references[i]);
      if (node !== null && node !== root) gather(node, root, item, form, inside);
    }
    // An item without properties is only a text: `<span itemprop="brand" itemscope>Acme</span>`.
    let said = 0;
    for (const name in item) if (name[0] !== "@") said += 1;
    if (said === 0 && property !== "") item.name = [valueOf(root, property, form) || ""];
    return item;
  };
  const itemsOf = (form) => {
    const scope = "[" + form.scope + "]", roots = doc.querySelectorAll(scope), items = [], parts = [];
    nested = new Set();
    const add = (root) => {
      if (items.length >= MAX_ITEMS) {
        isCut = true;
        return;
      }
      const item = itemOf(root, form, "", []);
      const declared = form === RDFA ? root.closest("[prefix]") : null;
      if (declared !== null) item["@prefix"] = take(attributeOf(declared, "prefix"));
      items[items.length] = item;
    };
    for (let i = 0; i < roots.length; i += 1) {
      if (propertyOf(roots[i], form) === null) add(roots[i]);
      else if (parentOf(roots[i]).closest && !parentOf(roots[i]).closest(scope)) parts[parts.length] = roots[i];
    }
    // Parts of an item that stand outside of it, and to which no `itemref` refers, become items of their own.
    for (let i = 0; i < parts.length; i += 1) if (!nested.has(parts[i])) add(parts[i]);
    return items;
  };

  const scriptsOf = () => {
    const nodes = doc.querySelectorAll(LD_JSON), texts = [];
    let all = 0;
    for (let i = 0; i < nodes.length; i += 1) all += nodes[i].textContent.length;
    for (let i = 0; i < nodes.length; i += 1) {
      const text = nodes[i].textContent;
      if (!/\S/.test(text)) continue;
      if (text.length + VALUE_COST > room || (all > spec.structuredChars && !PRODUCT_JSON.test(text))) {
        isCut = true;
        continue;
      }
      room -= text.length + VALUE_COST;
      texts[texts.length] = text;
    }
    return texts;
  };
  const metasOf = () => {
    const nodes = doc.querySelectorAll("meta[content]"), metas = [];
    for (let i = 0; i < nodes.length && metas.length < MAX_METAS; i += 1) {
      const name = attributeOf(nodes[i], "property") || attributeOf(nodes[i], "name");
      if (name && META.test(name)) metas[metas.length] = [name, take(attributeOf(nodes[i], "content")) || ""];
    }
    if (typeof doc.title === "string") metas[metas.length] = ["title", doc.title.slice(0, 500)];
    return metas;
  };
  const headingsOf = () => {
    const nodes = doc.querySelectorAll("h1"), headings = [];
    for (let i = 0; i < nodes.length && headings.length < MAX_HEADINGS; i += 1) {
      const text = textOf(nodes[i], false).replace(/\s+/g, " ").slice(0, 500);
      if (/\S/.test(text)) headings[headings.length] = text;
    }
    return headings;
  };

  const read = () => {
    room = spec.structuredChars;
    elements = MAX_ELEMENTS;
    isCut = false;
    const canonical = doc.querySelector('link[rel~="canonical" i][href]');
    const answer = {
      canonical: canonical === null ? "" : attributeOf(canonical, "href").slice(0, VALUE_CHARS),
      headings: headingsOf(),
      metas: metasOf(),
      base: String(doc.baseURI).slice(0, VALUE_CHARS),
      scripts: scriptsOf(),
      items: itemsOf(MICRODATA),
      rdfa: itemsOf(RDFA),
      cut: false,
    };
    answer.cut = isCut;
    nested = null;
    return answer;
  };

  const known = [];
  const isProductScript = (node, position) => {
    const text = node.textContent, before = known[position];
    if (before !== undefined && before.node === node && before.length === text.length) return before.is;
    known[position] = { node, length: text.length, is: PRODUCT_JSON.test(text) };
    return known[position].is;
  };
  const has = () => {
    if (doc.querySelector(PRICE_META) !== null) return true;
    const scripts = doc.querySelectorAll(LD_JSON);
    for (let i = 0; i < scripts.length; i += 1) if (isProductScript(scripts[i], i)) return true;
    const typed = doc.querySelectorAll("[itemtype], [typeof]");
    for (let i = 0; i < typed.length; i += 1) {
      if (PRODUCT_TYPE.test(attributeOf(typed[i], "itemtype") || "")) return true;
      if (PRODUCT_TYPE.test(attributeOf(typed[i], "typeof") || "")) return true;
    }
    return false;
  };
  return { read, has };
})();
const readStructured = structuredReader.read, hasStructured = structuredReader.has;
