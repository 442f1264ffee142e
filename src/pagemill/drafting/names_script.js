// The page's own global variables that could hold a product. Runs in the page's own world.
//
// In (`spec`): `fresh`, the names that every window has; `names`, those that the page's scripts set; `most`, how many
// are returned. Returns names.

(spec) => {
  const fresh = new Set(spec.fresh), found = [];
  const TELLING = /price|amount|cost|sku|stock|sold|avail|goods|product|item.?name|가격|상품|価格|preis|precio|prix/i;
  const SPOILT = /^(?:webpack|__core|core|regenerator|__REACT|__VUE|\$|jQuery|_satellite|gtm|google_tag|ga$|fbq|Sentry|__SENTRY)/;
  const holds = (value, depth, left) => {
    if (value === null || typeof value !== "object" || left.count <= 0 || depth > 7) return false;
    left.count -= 1;
    try {
      if (typeof value.nodeType === "number" || value === window || value === document) return false;
      const keys = Object.keys(value);
      if (!Array.isArray(value)) {
        for (let i = 0; i < keys.length && i < 200; i += 1) {
          const kind = typeof value[keys[i]];
          if (TELLING.test(keys[i]) && kind !== "function" && value[keys[i]] !== null) return true;
        }
      }
      for (let i = 0; i < keys.length && i < 200; i += 1) if (holds(value[keys[i]], depth + 1, left)) return true;
    } catch (error) {
      return false;
    }
    return false;
  };
  for (const name of Object.getOwnPropertyNames(window)) {
    if (found.length >= spec.most) break;
    if (fresh.has(name) || SPOILT.test(name) || !/^[A-Za-z_$][\w$]*$/.test(name)) continue;
    let value;
    try {
      value = window[name];
    } catch (error) {
      continue;
    }
    if (holds(value, 0, { count: 3000 })) found.push(name);
  }
  return found;
}
