// Creates and changes elements. All texts become text nodes, so that none of them can become markup.

/** An element with attributes and children; strings become text. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** One of the page's own icons; decorative, so screen readers skip it. */
export function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

export const byId = (id) => document.getElementById(id);

/** Changes a text only if it differs, so that screen readers do not repeat it. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` match `items`, in their order. A child stays the same element as long as its key is
 * there, so that focus and scrolling are kept. `make(item)` returns `{node, update(item)}`.
 */
export function sync(parent, items, keyOf, make, whenEmpty) {
  const kept = parent.kept || (parent.kept = new Map());
  const wanted = new Set();
  let place = parent.firstElementChild;
  if (parent.empty) {
    place = parent.empty.nextElementSibling;
    parent.empty.remove();
    parent.empty = null;
  }
  for (const item of items) {
    const key = keyOf(item);
    if (wanted.has(key)) continue;
    wanted.add(key);
    let entry = kept.get(key);
    if (!entry) kept.set(key, (entry = make(item)));
    entry.update(item);
    if (entry.node === place) place = place.nextElementSibling;
    else parent.insertBefore(entry.node, place);
  }
  for (const [key, entry] of kept) {
    if (!wanted.has(key)) {
      entry.node.remove();
      kept.delete(key);
    }
  }
  if (!wanted.size && whenEmpty) parent.append((parent.empty = whenEmpty()));
}
