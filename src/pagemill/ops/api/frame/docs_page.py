"""The page at `/docs`: every operation of the OpenAPI document, listed by the browser.

FastAPI's own page loads its scripts from elsewhere on the net, which a closed network does not have and our
`Content-Security-Policy` refuses. This one is two files of ours. It never makes HTML out of what the document says.
Addresses are relative: a proxy may have us below a path of its own.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
code, pre { font-family: ui-monospace, monospace; }
pre { overflow-x: auto; border: 1px solid; padding: 0.5rem; }
dt { font-weight: 600; }
</style>
</head>
<body>
<main>
<h1 id="title">API</h1>
<p>The same for programs: <a href="openapi.json">openapi.json</a>.
Send <code>Authorization: Bearer TOKEN</code>; <code>pagemill token</code> makes a token.</p>
<div id="operations" role="status">Loading the list of operations.</div>
<noscript><p>The list needs JavaScript; openapi.json says the same.</p></noscript>
</main>
<script src="docs/operations.js"></script>
</body>
</html>
"""

_SCRIPT = """\
"use strict";

const METHODS = ["get", "put", "post", "delete", "patch"];

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function json(value) {
  return element("pre", JSON.stringify(value, null, 2));
}

function definitions(pairs) {
  const list = element("dl");
  for (const [term, text] of pairs) list.append(element("dt", term), element("dd", text));
  return list;
}

function operation(path, method, said) {
  const title = element("summary", "", element("code", method.toUpperCase() + " " + path), " " + (said.summary || ""));
  const shown = element("details", "", title);
  if (said.description) shown.append(element("p", said.description));
  shown.append(element("p", said.security ? "Needs a token." : "Needs no token."));
  if (said.parameters) {
    shown.append(element("h3", "Parameters"));
    for (const each of said.parameters) {
      const needed = each.required ? ", required" : "";
      shown.append(element("h4", `${each.name} (${each.in}${needed})`), json(each.schema));
    }
  }
  if (said.requestBody) shown.append(element("h3", "Body"), json(said.requestBody.content));
  const answers = Object.entries(said.responses).map(([status, answer]) => [status, answer.description]);
  shown.append(element("h3", "Answers"), definitions(answers));
  return shown;
}

async function show() {
  const place = document.getElementById("operations");
  try {
    const answer = await fetch("openapi.json");
    if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
    const api = await answer.json();
    document.title = api.info.title;
    document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
    const all = [];
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const method of METHODS) if (methods[method]) all.push(operation(path, method, methods[method]));
    }
    const schemas = Object.entries((api.components || {}).schemas || {});
    const shapes = schemas.map(([name, schema]) => element("details", "", element("summary", name), json(schema)));
    place.replaceChildren(element("h2", "Operations"), ...all, element("h2", "Shapes"), ...shapes);
  } catch (error) {
    place.textContent = `The list cannot be shown: ${error.message}`;
  }
}

show();
"""


@router.get("/docs")
async def show_docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/operations.js")
async def show_script() -> Response:
    """What fills it."""
    return Response(_SCRIPT, media_type="text/javascript")
