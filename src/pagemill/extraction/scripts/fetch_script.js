// The script that asks the shop for a product from within a page of the shop, and reads the answer.
//
// The request is like one of the page's own (same cookies, connection and origin), but it is made in an isolated world.
// It loads no document, runs no script and changes nothing in the page. `page_script` reads the document that it gets.
//
// In (`spec`): `page` (an address whose origin the page must have), `url`, `timeoutMs`, `maxBytes`, `document` (whether
// the answer is a document to be read, or text to be brought back), and what `page_script` takes.
//
// Out: `{away: true}` when the page is on another origin; `{failed}` with a reason in a word or two; else `{status, url,
// retryAfter}` with `{read, texts, signs}` of a document, or `{body}`.

async (spec) => await { then(resolve, reject) {
  if (location.origin !== new URL(spec.page).origin) return resolve({ away: true });
  const readDocument = (page) => {
    /* reading_script */
    findTexts(true);
    findSigns(true);
    return { read: read(), texts: found, signs: signed };
  };

  const request = new XMLHttpRequest();
  const fail = (why) => resolve({ failed: why });
  request.open("GET", spec.url);
  request.responseType = spec.document ? "document" : "text";
  request.timeout = spec.timeoutMs;
  request.setRequestHeader("Accept", spec.document ? "text/html" : "application/json");
  request.onerror = () => fail("network error");
  request.ontimeout = () => fail("timeout");
  request.onprogress = (event) => {
    if (event.loaded > spec.maxBytes) {
      request.abort();
      fail("too large");
    }
  };
  request.onload = () => {
    try {
      const answer = { status: request.status, url: request.responseURL, retryAfter: "" };
      // Asking for a header that another origin keeps to itself writes an error to the console.
      const refused = answer.status === 429 || answer.status === 503;
      if (refused) answer.retryAfter = request.getResponseHeader("Retry-After") || "";
      if (!spec.document) return resolve({ ...answer, body: request.response });
      if (request.response === null || request.response.documentElement === null) return fail("no document");
      // Without scripts the parser reads what they hide as content.
      const unwanted = request.response.querySelectorAll("noscript");
      for (let i = 0; i < unwanted.length; i += 1) unwanted[i].remove();
      resolve({ ...answer, ...readDocument(request.response) });
    } catch (error) {
      reject(error);
    }
  };
  request.send();
} }
