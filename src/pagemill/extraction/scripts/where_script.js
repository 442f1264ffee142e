// Which document it is, whether another one is on its way, and whether it has loaded.

() => {
  /* leaving_script */
  // What a page takes over from the browser, as shops of one document do, leads nowhere else.
  const leaving = state.leaving !== null && !state.leaving.defaultPrevented && tracks.transition === null;
  return { origin, leaving, loaded: document.readyState === "complete" };
}
