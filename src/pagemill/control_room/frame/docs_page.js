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
