// Gives `origin`, which identifies the document, and `state.leaving`: the event by which it is being left, or null.

const origin = performance.timeOrigin, tracks = globalThis.navigation;
let state = globalThis.pagemillSteps;
if (state === undefined) {
  state = globalThis.pagemillSteps = { leaving: null };
  // Links, forms and scripts all fire this event before the document is left.
  if (tracks) {
    tracks.addEventListener("navigate", (event) => {
      if (!event.destination.sameDocument && event.downloadRequest === null) state.leaving = event;
    });
    for (const end of ["navigatesuccess", "navigateerror"]) {
      tracks.addEventListener(end, () => { state.leaving = null; });
    }
  }
}
