// Reads JSON from a script element, a variable or the whole document: `stateText(state, position)`, `hasState(state)`.
//
// Needs what `places_script` gives.

// Asks the script in the page's own world for a variable: see `variables_script`.
const ask = (question) => {
  let said = null;
  const hear = (event) => { said = typeof event.detail === "string" ? event.detail : null; };
  doc.addEventListener(spec.bridge + "-said", hear);
  doc.dispatchEvent(new CustomEvent(spec.bridge, { detail: question }));
  doc.removeEventListener(spec.bridge + "-said", hear);
  return said;
};
// The content of a template is in a document of its own.
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
