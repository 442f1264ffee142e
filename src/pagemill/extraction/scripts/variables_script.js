// The script that tells a reader the page's global variables. It runs in the page's own world, as only that has them.
//
// It answers events of the document. `{bridge}` with the detail `hello`, `has NAME` or `text NAME` is answered at once
// by `{bridge}-said` with a text: `1`, or the variable as JSON, after `=`, or after `+` if there is more than may be
// read. A variable that does not exist gets no answer. `{bridge}-end` removes the script. A page can break this and can
// lie about its own variables, but it can do no more.
//
// In (`spec`): `bridge`, a name that nobody can guess; `chars`, the most characters of a text.

(declared) => (spec) => {
  // A copy of a value for JSON. Cycles, functions, nodes and unreadable values are left out. `left.nodes` is how many
  // objects may still come, and `left.more` says whether there were more.
  const plain = (value, above, left) => {
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return value === value && value !== Infinity && value !== -Infinity ? value : null;
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || above.indexOf(value) >= 0) return undefined;
    try {
      if (typeof value.nodeType === "number" && typeof value.nodeName === "string") return undefined;
      if (typeof value.getTime === "function" && typeof value.toISOString === "function") {
        return value.getTime() === value.getTime() ? value.toISOString() : null;
      }
      if (left.nodes <= 0 || above.length > 60) {
        left.more = true;
        return undefined;
      }
      left.nodes -= 1;
      const inside = above.concat([value]);
      if (Array.isArray(value)) {
        const list = [];
        for (let i = 0; i < value.length && !left.more; i += 1) list[i] = copyAt(value, i, inside, left);
        list.toJSON = undefined;  // some libraries give all lists one, which turns them into text
        return list;
      }
      const out = Object.create(null);
      for (const key of Object.keys(value)) {
        const copy = copyAt(value, key, inside, left);
        if (copy !== undefined) out[key] = copy;
      }
      return out;
    } catch (error) {
      return undefined;  // another site's window
    }
  };
  const copyAt = (value, key, inside, left) => {
    try {
      return plain(value[key], inside, left);
    } catch (error) {
      return undefined;  // a getter that has failed
    }
  };
  // A variable declared with `let` or `const` is no property of the window.
  const variableAt = (name) => {
    const keys = name.replace(/\[(\d+)\]/g, ".$1").split(".");
    let value = declared[keys[0]] === undefined ? undefined : declared[keys[0]]();
    if (value === undefined) value = window[keys[0]];
    for (let i = 1; i < keys.length; i += 1) {
      if (value === null || value === undefined) return undefined;
      try {
        value = value[keys[i]];
      } catch (error) {
        return undefined;
      }
    }
    return value;
  };
  const answer = (question) => {
    if (question === "hello") return "1";
    const [, wanted, name] = /^(has|text) (.*)$/.exec(question);
    const value = variableAt(name), left = { nodes: 200000, more: false };
    if (value === undefined) return null;
    if (wanted === "has") return "1";
    const text = JSON.stringify(plain(value, [], left));
    if (typeof text !== "string") return null;
    if (text.length > spec.chars) return "+" + text.slice(0, spec.chars);
    return (left.more ? "+" : "=") + text;
  };
  const onAsked = (event) => {
    const said = answer(event.detail);
    if (said !== null) document.dispatchEvent(new CustomEvent(spec.bridge + "-said", { detail: said }));
  };
  const onEnd = () => {
    document.removeEventListener(spec.bridge, onAsked);
    document.removeEventListener(spec.bridge + "-end", onEnd);
  };
  document.addEventListener(spec.bridge, onAsked);
  document.addEventListener(spec.bridge + "-end", onEnd);
}
