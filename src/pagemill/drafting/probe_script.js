// What selectors find in the page, read as by strategy `dom`.
//
// Needs what `page_script` gives. In (`spec`): `selectors`. Returns for each selector
// `[how many elements, the first one's text, whether it is seen, its attributes]`.

(spec) => {
  const page = document;
  /* page_script */
  const LONGEST = 2000, MOST_ATTRIBUTES = 40;
  const attributesIn = (node) => {
    const found = {};
    for (const name of node.getAttributeNames().slice(0, MOST_ATTRIBUTES)) {
      found[name] = (attributeOf(node, name) || "").slice(0, LONGEST);
    }
    return found;
  };
  const probe = () => spec.selectors.map((css) => {
    const nodes = allIn(page, css);
    if (nodes.length === 0) return [0, "", false, {}];
    return [nodes.length, (textOf(nodes[0], true) || "").slice(0, LONGEST), isSeen(nodes[0]), attributesIn(nodes[0])];
  });
  return probe();
}
