// The message for an address that leads to nothing.

import { byId } from "../dom.js";

export function showMissing(view, title) {
  byId(view).hidden = true;
  byId("missing-view").hidden = false;
  byId("missing-title").textContent = title;
  document.title = `${title} - pagemill`;
}
