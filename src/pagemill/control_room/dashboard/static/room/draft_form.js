// The form for the pages, and for the known values of the first one.

import { byId, say } from "../dom.js";

const TEXTS = { device: "draft-device", locale: "draft-locale", wait_ms: "draft-wait" };
const PAGES = { urls: "draft-urls", sold_out: "draft-sold-out", off_sale: "draft-off-sale", gone: "draft-gone" };

/** `begin(wanted)` may throw an `Error`, whose message is shown. */
export function setUpForm(begin) {
  const button = byId("draft-begin");
  const refuse = (message) => say(byId("draft-error"), message.replace(/^body: /, ""));
  const busy = (is) => {
    button.disabled = is;
    say(button, is ? "Working ..." : "Draft");
  };
  byId("draft-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    refuse("");
    busy(true);
    try {
      await begin(wanted());
    } catch (error) {
      busy(false);
      refuse(error.message);
    }
  });
  return { busy, refuse };
}

function wanted() {
  const found = { platform: byId("draft-name").value.trim() };
  for (const [name, id] of Object.entries(PAGES)) found[name] = byId(id).value.split(/\s+/).filter(Boolean);
  for (const [name, id] of Object.entries(TEXTS)) found[name] = byId(id).value.trim();
  const price = byId("draft-expect-price").value;
  found.expect = { name: byId("draft-expect-name").value.trim(), ...(price === "" ? {} : { price: Number(price) }) };
  return found;
}
