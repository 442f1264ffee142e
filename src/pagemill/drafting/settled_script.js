// Waits until a page is at rest: it has loaded, nothing in it changes, and it makes no more requests.
//
// In (`spec`): `quietMs`, how long nothing may change; `leastMs`, the least time after loading; `mostMs`, in all.
// Returns `{rested, texts}`: whether it is at rest, and texts that it showed before that, `textChars` of each.

async (spec) => await { then(resolve) {
  const page = document, start = performance.now();
  let changedAt = start, asked = -1, loadedAt = 0, state = "";
  const texts = [];
  const keepText = () => {
    state = page.readyState;
    const text = page.body === null ? "" : page.body.innerText.slice(0, spec.textChars);
    if (text !== "" && texts.indexOf(text) < 0) texts.push(text);
  };
  const observer = new MutationObserver(() => { changedAt = performance.now(); });
  observer.observe(page, { subtree: true, childList: true, attributes: true, characterData: true });
  const end = (rested) => {
    clearInterval(timer);
    observer.disconnect();
    resolve({ rested, texts });
  };
  const timer = setInterval(() => {
    const at = performance.now(), count = performance.getEntriesByType("resource").length;
    if (count !== asked) changedAt = at;
    asked = count;
    if (page.readyState !== state || (loadedAt && at - loadedAt > 300 && texts.length < 4)) keepText();
    if (page.readyState === "complete" && !loadedAt) loadedAt = at;
    if (loadedAt && at - changedAt >= spec.quietMs && at - loadedAt >= spec.leastMs) end(true);
    else if (at - start >= spec.mostMs) end(false);
  }, 50);
} }
