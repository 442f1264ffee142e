// A failure's artifacts: the screenshot is shown, the HTML is shown as text. No script in them can run.

import { read, ROOT } from "../api.js";
import { el } from "../dom.js";
import { count, moment } from "../format.js";
import { apiRun, query } from "./addresses.js";

/** An element that loads its own content. */
export function evidence(result) {
  const place = el("div", { class: "evidence" }, el("p", { class: "note" }, "Looking for a picture ..."));
  fill(place, result);
  return place;
}

async function fill(place, result) {
  const address = `${apiRun(result.run)}/artifacts`;
  const about = query({ product: result.product_id });
  try {
    const { artifacts } = await read(`${address}${about}`);
    const links = artifacts.map((each) => {
      const text = `${each.kind === "picture" ? "Picture" : "HTML as text"}, ${count(Math.ceil(each.bytes / 1024))} KB, ${moment(new Date(each.taken_at))}`;
      return el("li", {}, el("a", { href: `${ROOT}${address}/${each.kind}${about}`, target: "_blank", rel: "noreferrer noopener" }, text));
    });
    if (!links.length) return place.replaceChildren(el("p", { class: "note" }, "No picture and no HTML of this failure are here."));
    const parts = [el("ul", { class: "plain" }, ...links)];
    if (artifacts.some((each) => each.kind === "picture")) {
      parts.push(el("img", { src: `${ROOT}${address}/picture${about}`, alt: `What the browser saw of ${result.product_id}, images left out`, loading: "lazy", width: "1280", height: "800" }));
    }
    return place.replaceChildren(...parts);
  } catch (error) {
    return place.replaceChildren(el("p", { class: "error" }, `What was kept cannot be looked for: ${error.message}`));
  }
}
