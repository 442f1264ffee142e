// The frame of every page: the login, whether the API answers, and the colours.

import { logOut, Refused, session } from "./api.js";
import { tell } from "./dialog.js";
import { byId, say } from "./dom.js";
import { timeOfDay } from "./format.js";
import { setUpLogin, showLogin } from "./login.js";
import { Poll } from "./poll.js";
import { watchTheme } from "./theme.js";

const SESSION_MS = 2000;

const page = document.querySelector("[data-page]");
let own = null;
let lastAnswer = null;
let lostSince = null;
let entered = false;

const sessions = new Poll(async () => {
  try {
    enter(await session());
  } catch (error) {
    if (error instanceof Refused && error.status === 401) leave("");
    else {
      lost(error);
      throw error;
    }
  }
}, SESSION_MS);

/** Starts. `enter()` is called after a login, `leave()` after a logout, `repaint()` when colours change. */
export function startShell(hooks) {
  own = hooks;
  for (const link of document.querySelectorAll(".nav a")) {
    if (location.pathname === link.pathname) link.setAttribute("aria-current", "page");
    else if (location.pathname.startsWith(`${link.pathname}/`)) link.setAttribute("aria-current", "true");
  }
  byId("logout").addEventListener("click", async () => {
    try {
      await logOut();
      leave("");
    } catch (error) {
      tell(`Not logged out: ${error.message}`, "critical");
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && entered) connection("paused", "Paused while hidden");
  });
  watchTheme(byId("theme"), byId("theme-text"), () => own.repaint());
  setUpLogin(enter);
  sessions.start();
}

/** Asks and shows the outcome. Throws errors on, so that the next request is delayed. */
export async function asking(ask) {
  try {
    const found = await ask();
    answered();
    return found;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) leave("The login has ended: paste a token again.");
    else lost(error);
    throw error;
  }
}

/** To be called when the API has answered. */
export function answered() {
  lastAnswer = new Date();
  lostSince = null;
  page.classList.remove("stale");
  tellConnection("live", "Live");
}

export const mayChange = () => document.body.dataset.role === "admin";

function lost(error) {
  lostSince ??= lastAnswer || new Date();
  page.classList.add("stale");
  const said = error instanceof Refused ? error.message : `No connection since ${timeOfDay(lostSince)}, trying again`;
  tellConnection("lost", said);
}

/** Shows the state, except on a hidden page: an answer that arrives there is soon out of date. */
function tellConnection(state, text) {
  if (!document.hidden) connection(state, text);
}

function connection(state, text) {
  byId("connection").dataset.state = state;
  say(byId("connection-text"), text);
}

function enter(who) {
  sessions.stop();
  entered = true;
  document.body.dataset.role = who.role;
  byId("login").hidden = true;
  page.hidden = false;
  say(byId("role"), who.role);
  byId("role").hidden = false;
  // Without tokens there is nothing to log out of.
  byId("logout").hidden = who.expires_at === null;
  byId("content").focus({ preventScroll: true });
  own.enter();
}

function leave(why) {
  sessions.stop();
  own.leave();
  if (byId("ask").open) byId("ask").close();
  if (!entered && !byId("login").hidden) return;
  entered = false;
  delete document.body.dataset.role;
  page.hidden = true;
  byId("role").hidden = true;
  byId("logout").hidden = true;
  connection("paused", "Not logged in");
  showLogin(why);
}
