// Which document it is, whether another one is on its way, and whether it has loaded.

() => {
  /* leaving_script */
  // A navigation that the page handles itself, as a single-page shop does, leads to no other document.
  const leaving = state.leaving !== null && !state.leaving.defaultPrevented && tracks.transition === null;
  return { origin, leaving, loaded: document.readyState === "complete" };
}
