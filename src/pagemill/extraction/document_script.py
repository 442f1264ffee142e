"""JavaScript that gets at a document's nodes whatever they are named.

An element whose name is one of a property stands in for it: `<img name=body>` is `document.body`, and a form with a
field `parentNode` has that for its parent. So properties are taken from where they are defined.

Needs `page`, a document. Gives `doc`, which has what is read of it, and functions of nodes: `typeOf` (`nodeType`),
`nameOf` (`nodeName`), `parentOf`, `firstOf`, `nextOf`, `firstElementOf`, `nextElementOf`, `contentOf` (`textContent`),
`attributeOf(element, name)`, `hasAttribute(element, name)`.
"""

DOCUMENT = r"""
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
"""
