// Which document it is, `origin`, and in `state.leaving` the event by which it is being left, or null.

const origin = performance.timeOrigin, tracks = globalThis.navigation;
let state = globalThis.pagemillSteps;
if (state === undefined) {
  state = globalThis.pagemillSteps = { leaving: null };
  // Said by links, forms and scripts alike, before the document is left.
  if (tracks) {
    tracks.addEventListener("navigate", (event) => {
      if (!event.destination.sameDocument && event.downloadRequest === null) state.leaving = event;
    });
    for (const end of ["navigatesuccess", "navigateerror"]) {
      tracks.addEventListener(end, () => { state.leaving = null; });
    }
  }
}
