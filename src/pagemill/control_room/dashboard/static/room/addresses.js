// Which page this is, and the addresses of the other pages.

import { ROOT } from "../api.js";

const part = encodeURIComponent;

export const runAddress = (run) => `${ROOT}/runs/${part(run)}`;
export const productAddress = (platform, id) => `${ROOT}/products/${part(platform)}/${part(id)}`;

/** `{what: "runs"}`, `{what: "run", run}` or `{what: "product", platform, product}`, from the page's address. */
export function placeOf(pathname) {
  const own = pathname.startsWith(`${ROOT}/`) ? pathname.slice(ROOT.length) : pathname;
  const [what, first, ...rest] = own.split("/").filter(Boolean).map(decoded);
  if (what === "products") return { what: "product", platform: first, product: rest.join("/") };
  return first === undefined ? { what: "runs" } : { what: "run", run: first };
}

/** The API's address of a run or a product, below its root. */
export const apiRun = (run) => `/api/v1/runs/${part(run)}`;
export const apiHistory = (platform, product) => `/api/v1/products/${part(platform)}/${part(product)}/history`;

/** `?a=1&b=2`; empty values are left out. */
export function query(values) {
  const found = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined && value !== null));
  return found.size ? `?${found}` : "";
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
