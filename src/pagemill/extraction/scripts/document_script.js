// JavaScript that reads a document's nodes correctly, whatever names the page gives to elements.
//
// An element can hide a property by its name: `<img name=body>` is `document.body`, and a form with a field
// `parentNode` has that field for its parent. So properties are taken from the prototypes that define them.
//
// Needs `page`, a document. Gives `doc`, with the properties of it that are read, and functions of nodes: `typeOf`
// (`nodeType`), `nameOf` (`nodeName`), `parentOf`, `firstOf`, `nextOf`, `firstElementOf`, `nextElementOf`, `contentOf`
// (`textContent`), `attributeOf(element, name)`, `hasAttribute(element, name)`.
//
// An open shadow root is shown instead of its host's children, and the nodes assigned to a slot instead of the slot's
// own. `partsOf(node)` gives these; it is null where a node's children are shown. `aroundOf(node)` is the element that
// a node is drawn in; `upOf(node)` is its parent, or the host of a shadow root. `oneIn(top, selector)` and `allIn(top,
// selector)` search a document or a shadow root. `homeOf(node)` is like `doc`, for the document that the node is in.

const getterOf = (kind, name) => {
  const get = Object.getOwnPropertyDescriptor(kind.prototype, name).get;
  return (node) => get.call(node);
};
const typeOf = getterOf(Node, "nodeType"), nameOf = getterOf(Node, "nodeName");
const parentOf = getterOf(Node, "parentNode"), firstOf = getterOf(Node, "firstChild");
const nextOf = getterOf(Node, "nextSibling"), contentOf = getterOf(Node, "textContent");
const firstElementOf = getterOf(Element, "firstElementChild");
const nextElementOf = getterOf(Element, "nextElementSibling");
const attributeOf = (element, name) => Element.prototype.getAttribute.call(element, name);
const hasAttribute = (element, name) => Element.prototype.hasAttribute.call(element, name);
const orNull = (ask) => (node) => {
  try {
    return ask(node);
  } catch (error) {
    return null;
  }
};
const shadowOf = getterOf(Element, "shadowRoot"), hostOf = orNull(getterOf(ShadowRoot, "host"));
const slotOfElement = getterOf(Element, "assignedSlot"), slotOfText = getterOf(Text, "assignedSlot");
const assignedTo = orNull((slot) => HTMLSlotElement.prototype.assignedNodes.call(slot));
const partsOf = (node) => {
  const shadow = shadowOf(node);
  if (shadow !== null) return [shadow];
  const assigned = nameOf(node) === "SLOT" ? assignedTo(node) : null;
  return assigned !== null && assigned.length > 0 ? assigned : null;
};
const upOf = (node) => (typeOf(node) === 11 ? hostOf(node) : parentOf(node));
const aroundOf = (node) => {
  const slot = typeOf(node) === 1 ? slotOfElement(node) : typeOf(node) === 3 ? slotOfText(node) : null;
  if (slot !== null) return slot;
  const parent = parentOf(node);
  return parent !== null && typeOf(parent) === 11 ? hostOf(parent) : parent;
};
const kindOf = (top) => (typeOf(top) === 9 ? Document : DocumentFragment).prototype;
const oneIn = (top, selector) => kindOf(top).querySelector.call(top, selector);
const allIn = (top, selector) => kindOf(top).querySelectorAll.call(top, selector);
const doc = (() => {
  const gives = {};
  const read = (kind, name) => {
    const get = getterOf(kind, name);
    Object.defineProperty(gives, name, { get: () => get(page) });
  };
  const ask = (name) => {
    gives[name] = (text) => Document.prototype[name].call(page, text);
  };
  const tell = (name) => {
    gives[name] = (event, listener) => EventTarget.prototype[name].call(page, event, listener);
  };
  const known = ["body", "documentElement", "defaultView", "readyState", "hidden", "title", "URL", "contentType"];
  for (let i = 0; i < known.length; i += 1) read(Document, known[i]);
  read(Node, "baseURI");
  const questions = ["querySelector", "querySelectorAll", "getElementById", "createRange"];
  for (let i = 0; i < questions.length; i += 1) ask(questions[i]);
  const events = ["addEventListener", "removeEventListener", "dispatchEvent"];
  for (let i = 0; i < events.length; i += 1) tell(events[i]);
  return gives;
})();
const ownerOf = getterOf(Node, "ownerDocument"), bodyOf = getterOf(Document, "body");
const rootOf = getterOf(Document, "documentElement"), viewOf = getterOf(Document, "defaultView");
const homeOf = (node) => {
  const owner = typeOf(node) === 9 ? node : ownerOf(node);  // a document has no owner document
  if (owner === page) return doc;
  return { body: bodyOf(owner), documentElement: rootOf(owner), defaultView: viewOf(owner) };
};
