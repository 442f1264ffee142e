// The control API's platforms, requested once.

import { read } from "../api.js";

let asked = null;

/** The platforms that a run may have products of. */
export async function platformsOf(run) {
  asked ??= read("/api/v1/platforms");
  try {
    const { platforms } = await asked;
    return platforms.filter((each) => run.platform === "auto" || each.platform === run.platform);
  } catch (error) {
    asked = null;
    throw error;
  }
}
