// Does a step in a page, one try at a time. It does not wait; its caller does.
//
// It runs in an isolated world, where a field's setter is Chromium's own and not one that the page has put in front.
// Hidden pages get no input from a keyboard or mouse, so clicks and keys are events of the document. Their `isTrusted`
// is false, and of what a key does by itself only the effects of Enter and Space are imitated.
//
// In: `kind`, `selector` (or null), `text`, `pattern` and `words` (what finds a text, see `watch`), `key`, `code`,
// `keyCode`. Out: `{done, why, origin, at, end, mark}`: whether it is done; if not, why not yet; the document's time
// origin; how far down it is scrolled; whether it was at the end before; and a text that changes when the page does.

(spec) => {
  const page = document;
  /* leaving_script */
  /* elements */
  const all = (selector) => {
    const found = [];
    someIn(page, selector, (element) => { found.push(element); return false; }, () => found.length > 0);
    return found;
  };
  // A field has no text that could be seen, so Chromium is asked whether it is shown.
  const isShown = (element) => Element.prototype.checkVisibility.call(element, { visibilityProperty: true });
  const say = (done, why = "", more = {}) => ({ done, why, origin, at: 0, end: false, mark: "", ...more });
  // Calls `act` with the first element that is shown and enabled.
  const onSeen = (act) => {
    const found = all(spec.selector);
    if (found.length === 0) return say(false, "was not there");
    const seen = found.filter(isShown);
    if (seen.length === 0) return say(false, "was there, but hidden");
    const able = seen.filter((element) => !element.matches(":disabled"));
    return able.length === 0 ? say(false, "was there, but disabled") : act(able[0]);
  };
  const fire = (element, event) => EventTarget.prototype.dispatchEvent.call(element, event);
  const click = (element) => {
    if (element instanceof HTMLElement) HTMLElement.prototype.click.call(element);
    else fire(element, new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, view: window }));
  };
  const focus = (element) => {
    if (element instanceof HTMLElement) HTMLElement.prototype.focus.call(element, { preventScroll: true });
  };
  const words = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();

  // Nobody would read another window, so what a link or a form would open there opens here.
  const stayHere = (element) => {
    const opener = element.closest("a[href],area[href]") || element.form;
    const base = doc.querySelector("base[target]"), usual = base instanceof HTMLBaseElement ? base.target : "";
    if (opener && "target" in opener && /^_blank$/i.test(opener.target || usual)) opener.target = "_self";
  };
  const clickFirst = () => onSeen((element) => {
    stayHere(element);
    for (const name of ["mousedown", "mouseup"]) {
      fire(element, new MouseEvent(name, { bubbles: true, cancelable: true, composed: true, view: window }));
    }
    click(element);
    return say(true, "clicked");
  });

  const fill = () => onSeen((element) => {
    focus(element);
    if (element instanceof HTMLSelectElement) {
      const choices = [...element.options];
      const choice = choices.find((one) => one.value === spec.text) ||
        choices.find((one) => words(one.label) === words(spec.text));
      if (choice === undefined) return say(false, "was there, but has no such choice");
      choice.selected = true;
    } else if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
      if (/^(?:checkbox|radio|file|button|submit|reset|image)$/.test(element.type)) {
        return say(false, "was there, but takes no text: click it");
      }
      if (element.readOnly) return say(false, "was there, but cannot be written in");
      element.value = spec.text;
      if (spec.text !== "" && element.value === "") return say(false, "was there, but does not take this text");
    } else if (element.isContentEditable) {
      element.textContent = spec.text;
    } else {
      return say(false, "was there, but takes no text");
    }
    const how = { bubbles: true, composed: true, data: spec.text, inputType: "insertText" };
    fire(element, new InputEvent("input", how));
    fire(element, new Event("change", { bubbles: true }));
    return say(true, "filled in");
  });

  const pressIn = (element) => {
    const { key, code, keyCode } = spec;
    const how = { key, code, keyCode, which: keyCode, bubbles: true, cancelable: true, composed: true, view: window };
    let goes = fire(element, new KeyboardEvent("keydown", how));
    if (goes && (key.length === 1 || key === "Enter")) {
      goes = fire(element, new KeyboardEvent("keypress", { ...how, charCode: keyCode }));
    }
    stayHere(element);
    const isButton = element.matches("button,summary,input:is([type=button],[type=submit],[type=reset])");
    if (goes && key === "Enter") {
      if (isButton || element.matches("a[href]")) click(element);
      else if (element instanceof HTMLInputElement && element.form instanceof HTMLFormElement) {
        const submits = "button:not([type=button],[type=reset]),input:is([type=submit],[type=image])";
        const button = [...getterOf(HTMLFormElement, "elements")(element.form)].find((one) => one.matches(submits));
        if (button === undefined) HTMLFormElement.prototype.requestSubmit.call(element.form);
        else click(button);
      }
    }
    fire(element, new KeyboardEvent("keyup", how));
    if (goes && key === " " && (isButton || element.matches("[type=checkbox],[type=radio]"))) click(element);
    return say(true, "pressed");
  };
  const press = () => {
    if (spec.selector !== null) {
      return onSeen((element) => {
        focus(element);
        return pressIn(element);
      });
    }
    return pressIn(getterOf(Document, "activeElement")(page) || doc.body || doc.documentElement);
  };

  const isThere = () => {
    const isHere = spec.selector !== null
      ? all(spec.selector).length > 0
      : findSeen(doc.body || doc.documentElement, new RegExp(spec.pattern, "i"), spec.words);
    return isHere ? say(true, "was there") : say(false, "was not there");
  };

  // Cheap, and another one as soon as something was fetched, added or written.
  const mark = () => {
    const parts = [performance.getEntriesByType("resource").length, doc.querySelectorAll("*").length];
    return [...parts, contentOf(doc.documentElement).length].join(" ");
  };
  const scrollTo = () => {
    const found = all(spec.selector);
    if (found.length === 0) return say(false, "was not there");
    const element = found.find(isShown);
    if (element === undefined) return say(false, "was there, but hidden");
    const middle = () => {
      const box = element.getBoundingClientRect();
      return (box.top + box.bottom) / 2;
    };
    const isInView = () => middle() >= 0 && middle() <= innerHeight;
    const was = isInView();
    if (!was) element.scrollIntoView({ block: "center", behavior: "instant" });
    const where = { at: Math.round(scrollY), end: was, mark: mark() };
    return say(was || isInView(), "could not be brought into view", where);
  };
  const scrollOn = () => {
    const root = getterOf(Document, "scrollingElement")(page) || doc.documentElement;
    const before = root.scrollTop;
    root.scrollBy({ top: innerHeight * 0.9, behavior: "instant" });
    return say(true, "", { at: Math.round(root.scrollTop), end: root.scrollTop - before < 1, mark: mark() });
  };

  const doing = {
    dismiss: clickFirst, click: clickFirst, fill, press, wait_for: isThere, reload_unless: isThere,
    scroll: spec.selector === null ? scrollOn : scrollTo,
  };
  return doing[spec.kind]();
}
