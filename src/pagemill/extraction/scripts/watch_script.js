// The script that waits in a page until it shows what is looked for, and then reads it with `page_script`.
//
// However it ends, it removes its observer, listeners and timers. If the page breaks it, the call fails or gives no
// answer, and Python's own deadline ends the visit.
//
// In, besides what `page_script` takes: `ready` (selector or null), `wants` (per field `{places, states, structured}`:
// any of them may say it), `unsure` (positions of places where a missing element may still appear), `address` (where
// the document is expected to be), `refresh` (the `Refresh` header, or ""), `endStatuses`, `stop` (an event's name, or
// ""), `timeoutMs`, `shown` (whether the page was brought to the front for this visit), `stalled` (whether an earlier
// call has found that loading does not end), `thorough` (wait until the page has settled).
//
// Out: `{ready, later, status, url, settled, stalled, read, texts, signs}`: whether the content appeared; the
// document's HTTP status (0 if unknown) and address; whether the page had settled; whether its loading does not end;
// what `read()` gives; the positions of the texts and signs that are seen. `later` asks for another call: in a moment
// (`"again"`); after the page was brought to the front (`"shown"`), because a hidden page gets no frames and may need
// some; because the document is not where it was expected (`"moved"`); or because nobody answers for its variables
// (`"bridge"`).

async (spec) => await { then(resolve, reject) {
  const page = document;
  /* reading_script */

  const LOOK_MS = 5, TEXT_MS = 250, HIDDEN_MAX_MS = 3000, STRUCTURED_MAX_MS = 5000;
  const PARSE_MAX_MS = 1000, REFRESH_MAX_S = 5, REFRESH_GRACE_MS = 2000;
  const FRAME_MAX_MS = 5000, MOVE_MAX_MS = 3000;
  const timers = { end: 0, look: 0, text: 0, settle: 0, hidden: 0, rest: 0, stall: 0, again: 0 };
  let observer = null, over = false, settled = false;
  let lookedAt = -Infinity, changedAt = 0, loadedAt = 0, appearedAt = 0, stalled = spec.stalled;
  const waits = spec.ready !== null || spec.wants.length > 0;
  const hidden = waits && doc.hidden && !spec.shown;
  // Whether every field must say something until the page has settled; otherwise the `ready` selector is enough.
  const thorough = spec.ready === null || hidden || spec.shown || spec.thorough;
  // Bringing a page to the front for nothing costs more than waiting a little longer.
  const SETTLE_MS = hidden ? 1000 : 300, SETTLE_MAX_MS = spec.shown ? 1000 : 2000;
  // A page that needs frames gets as many as a quick page draws while it settles, even if they come slowly.
  const FRAMES = 18, FRAMES_MAX_MS = 3000;
  let framesLeft = spec.shown ? FRAMES : 0;
  const countFrame = () => {
    framesLeft -= 1;
    if (!over && framesLeft > 0) requestAnimationFrame(countFrame);
  };

  const status = () => {
    const entry = performance.getEntriesByType("navigation")[0];
    return (entry && entry.responseStatus) || 0;
  };
  const bare = (address) => {
    const end = address.indexOf("#");
    return (end < 0 ? address : address.slice(0, end)).slice(0, spec.maxUrl);
  };
  const hasMoved = () => spec.address !== "" && bare(doc.URL) !== bare(spec.address);

  const isUnsure = (position) => spec.unsure.indexOf(position) >= 0;
  // 1: it says something. 0: it is not there. -1: it is there, but blank, or half of it may still be to come.
  const stateOf = (position, every, parsed) => {
    if (isUnsure(position)) return spec.ready !== null || !every ? 1 : 0;
    const place = spec.places[position];
    if (frameTrouble(place.frame) === 2) return 1;  // `frames` reads it with a script of its own
    const top = pageOf(place.frame);
    let there = false;
    for (let i = 0; i < place.selectors.length; i += 1) {
      const node = firstIn(top, place.selectors[i]);
      if (node === null) continue;
      there = true;
      if (!parsed && !isComplete(node)) return -1;
      if (!isBlank(valueOf(node, place))) return 1;
    }
    return there ? (every ? -1 : 1) : 0;
  };
  const isSaid = (want, every, parsed, late) => {
    let there = false;
    for (let i = 0; i < want.places.length; i += 1) {
      const state = stateOf(want.places[i], every, parsed);
      if (state > 0) return true;
      there = there || state < 0;
    }
    for (let i = 0; i < want.states.length; i += 1) if (hasState(spec.states[want.states[i]])) return true;
    if (want.structured && parsed && hasStructured()) return true;
    if (there || every) return false;
    return parsed || late;
  };
  const appeared = (late) => {
    if (!waits || (spec.ready !== null && first(spec.ready) === null)) return false;
    if ((spec.thorough && !settled) || (!late && isFrameLoading())) return false;
    const parsed = doc.readyState !== "loading";
    const every = thorough && !settled;
    for (let i = 0; i < spec.wants.length; i += 1) if (!isSaid(spec.wants[i], every, parsed, late)) return false;
    return true;
  };

  const framesOf = (entries, at) => {
    for (let i = 0; i < entries.length; i += 1) {
      const frame = at === null ? entries[i].frame : entries[i][at];
      if (frame !== "" && frames.indexOf(frame) < 0) frames[frames.length] = frame;
    }
  };
  const frames = [];
  framesOf(spec.places, null);
  framesOf(spec.searches, 4);
  // A frame may begin to load after the page has loaded.
  const isFrameLoading = () => {
    if (stalled || (loadedAt && now() - loadedAt > FRAME_MAX_MS)) return false;
    for (let i = 0; i < frames.length; i += 1) if (frameTrouble(frames[i]) === 3) return true;
    return false;
  };
  // The document's observer sees no changes in shadow roots and frames: each one is observed once it is known.
  const observed = new Set();
  const observe = (top) => {
    if (observer === null || top === null || observed.has(top) || observed.size > 2 * MAX_ROOTS) return;
    observed.add(top);
    observer.observe(top, { subtree: true, childList: true, attributes: true, characterData: true });
    if (top !== page) {
      changedAt = now();
      unread = true;
    }
  };
  const observeAll = () => {
    for (let i = 0; i < frames.length; i += 1) observe(pageOf(frames[i]));
    lookedFor.forEach((known) => {
      for (let i = 0; i < known.found.length; i += 1) observe(known.found[i].root);
    });
  };
  // No observer reports a new shadow root or a frame's new document.
  const lookAgain = () => {
    observeAll();
    if (timers.again || !(isMissing() || frames.length > 0)) return;
    timers.again = setTimeout(() => {
      timers.again = 0;
      look();
    }, pauseMs());
  };

  // After how many seconds the page refreshes to another address; -1 if it does not, or not within `REFRESH_MAX_S`.
  const refreshS = () => {
    const metas = doc.querySelectorAll("meta[http-equiv=refresh i]"), said = [spec.refresh];
    for (let i = 0; i < metas.length; i += 1) said[i + 1] = metas[i].content;
    for (let i = 0; i < said.length; i += 1) {
      const parts = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*[;,\s]\s*(?:url\s*=\s*)?(["']?)(.+)$/i.exec(said[i]);
      if (parts === null || parts[1] > REFRESH_MAX_S) continue;
      const [, seconds, quote, address] = parts;
      const end = quote === "" ? -1 : address.indexOf(quote);
      let to = "";
      try {
        to = new URL((end < 0 ? address : address.slice(0, end)).trim(), doc.baseURI).href;
      } catch (error) {
        continue;
      }
      if (/^https?:/.test(to) && bare(to) !== bare(doc.URL)) return +seconds;
    }
    return -1;
  };
  // Whether the page may still leave the address of what has appeared: by a script further down, or by a refresh.
  const isPassing = () => {
    const seconds = refreshS(), at = now();
    appearedAt = appearedAt || at;
    let rest = doc.readyState === "loading" ? appearedAt + PARSE_MAX_MS - at : 0;
    if (seconds >= 0) rest = (loadedAt || at) + 1000 * seconds + REFRESH_GRACE_MS - at;
    if (rest > 0 && !timers.rest) timers.rest = setTimeout(() => { timers.rest = 0; look(); }, rest);
    return rest > 0;
  };

  // Whether no field says anything though one could: a script may still write what is published for search engines, and
  // the page may still lead elsewhere.
  const isUnwritten = () => {
    let asked = spec.structured;
    if (spec.ready !== null) return false;
    for (let i = 0; i < spec.wants.length; i += 1) {
      const want = spec.wants[i];
      if (isSaid(want, true, true, false)) return false;
      asked = asked || want.states.length > 0;
      for (let j = 0; j < want.places.length; j += 1) asked = asked || !isUnsure(want.places[j]);
    }
    return asked;
  };
  const UNWRITTEN_MAX_MS = spec.structured ? STRUCTURED_MAX_MS : MOVE_MAX_MS;

  const clean = () => {
    over = true;
    for (const name in timers) clearTimeout(timers[name]);
    if (observer !== null) observer.disconnect();
    observer = null;
    doc.removeEventListener("readystatechange", onState);
    if (spec.stop) doc.removeEventListener(spec.stop, onStop);
    if (spec.bridge) doc.dispatchEvent(new Event(spec.bridge + "-end"));
  };
  const finish = (ready, later = "") => {
    if (over) return;
    over = true;
    lookAfresh();
    findTexts(true);
    findSigns(true);
    const url = doc.URL, said = read();
    clean();
    resolve({ ready, later, status: status(), url, settled, stalled, read: said, texts: found, signs: signed });
  };
  const guarded = (step) => () => {
    if (over) return;
    try {
      step();
    } catch (error) {
      try { clean(); } finally { reject(error); }
    }
  };

  const look = guarded(() => {
    clearTimeout(timers.look);
    timers.look = 0;
    lookedAt = now();
    if (hasMoved()) return finish(false, "moved");
    if (appeared(false) && !isPassing()) return finish(true);
    if (endsLook && unread) {
      // The look for texts takes a twentieth of the time at most, however large the page is.
      const rest = textAt + Math.max(TEXT_MS, 20 * textMs) - lookedAt;
      if (rest <= 0) {
        findTexts(false);
        findSigns(false);
        textAt = lookedAt;
        unread = false;
        if (endsBy(found, spec.searches, 2) || endsBy(signed, spec.signs, 1)) return finish(false);
      } else if (!timers.text) {
        timers.text = setTimeout(() => { timers.text = 0; look(); }, rest);
      }
    }
    // The shop has failed: only a text can still say more than the status does.
    if (doc.readyState === "complete" && status() >= 400) return finish(false);
    lookAgain();
  });
  const onChange = guarded(() => {
    changedAt = now();
    unread = true;
    const rest = lookedAt + LOOK_MS - changedAt;
    if (rest <= 0) look();
    else if (!timers.look) timers.look = setTimeout(look, rest);
  });
  const settle = guarded(() => {
    const quiet = now() - changedAt, since = now() - loadedAt;
    if (isFrameLoading() || (framesLeft > 0 && since < FRAMES_MAX_MS)) {
      timers.settle = setTimeout(settle, SETTLE_MS);
      return look();
    }
    if (quiet >= SETTLE_MS || since >= SETTLE_MAX_MS) {
      if (hidden) return finish(false, "shown");
      if (isUnwritten() && (spec.structured || since < UNWRITTEN_MAX_MS)) {
        if (since >= UNWRITTEN_MAX_MS) return finish(false);
        timers.settle = setTimeout(settle, SETTLE_MS);
        return look();
      }
      settled = true;
      look();
    } else {
      timers.settle = setTimeout(settle, SETTLE_MS - quiet);
    }
  });
  const onState = guarded(() => {
    const loaded = doc.readyState === "complete" || stalled || (spec.shown && spec.ready !== null);
    if (loaded && !loadedAt) {
      loadedAt = changedAt = now();
      if (thorough && spec.wants.length > 0) timers.settle = setTimeout(settle, SETTLE_MS);
    }
    if (!loaded && doc.readyState === "interactive" && !timers.stall) timers.stall = setTimeout(stall, STALL_MS);
    textAt = -Infinity;
    look();
  });
  // The page waits for something that never comes: a frame, a picture, a visitor counter.
  const STALL_MS = spec.timeoutMs / 3;
  const stall = guarded(() => {
    const quiet = now() - changedAt;
    timers.stall = quiet < STALL_MS ? setTimeout(stall, STALL_MS - quiet) : 0;
    if (timers.stall === 0) {
      stalled = true;
      onState();
    }
  });
  const onStop = guarded(() => finish(false));
  let endsLook = false;
  for (let i = 0; i < spec.searches.length; i += 1) endsLook = endsLook || spec.searches[i][2];
  for (let i = 0; i < spec.signs.length; i += 1) endsLook = endsLook || spec.signs[i][1];

  guarded(() => {
    if (spec.bridge && ask("hello") === null) return finish(false, "bridge");
    const code = status();
    for (let i = 0; i < spec.endStatuses.length; i += 1) if (spec.endStatuses[i] === code) return finish(false);
    timers.end = setTimeout(guarded(() => {
      settled = spec.ready !== null || doc.readyState === "complete";
      finish(!(spec.structured && isUnwritten()) && appeared(true) && refreshS() < 0);
    }), spec.timeoutMs);
    if (hidden) timers.hidden = setTimeout(guarded(() => finish(false, "shown")), HIDDEN_MAX_MS);
    if (spec.stop) doc.addEventListener(spec.stop, onStop);
    doc.addEventListener("readystatechange", onState);
    if (waits || endsLook || spec.address !== "") {
      observer = new MutationObserver(onChange);
      observe(page);
    }
    if (framesLeft > 0) requestAnimationFrame(countFrame);
    onState();
    // A sandboxed document may run no timer and no observer, so Python calls again.
    if (!over && self.origin === "null" && doc.readyState !== "complete") finish(false, "again");
  })();
} }
