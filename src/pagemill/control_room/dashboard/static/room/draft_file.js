// The file's text: shown, copied and downloaded. It is not sent anywhere.

import { tell } from "../dialog.js";
import { byId, say } from "../dom.js";

let address = "";

export function setUpFile() {
  byId("draft-copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("draft-text").textContent);
      tell("Copied.");
    } catch {
      // Browsers give scripts no access to the clipboard without https.
      getSelection().selectAllChildren(byId("draft-text"));
      tell("The file is selected: copy it with Ctrl+C.");
    }
  });
}

export function showFile({ platform, configured, draft }) {
  say(byId("draft-text"), draft.text);
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob([draft.text], { type: "application/yaml" }));
  const link = byId("draft-download");
  link.href = address;
  link.download = `${platform}.yaml`;
  const before = configured ? ` There is a platform ${platform} already: this file would take its place.` : "";
  say(byId("draft-where"), `Put it into the configuration's folder as platforms/${platform}.yaml, on each machine with workers, and look it through: each line says why it is there. Then: pagemill try URL --platform ${platform}.${before}`);
}
