// Puts the page together: who is logged in, what is asked for and how often, and what is said when nobody answers.

import { noticeRestart, pause, resume, setUpActions } from "./actions.js";
import { logOut, read, Refused, session } from "./api.js";
import { Board } from "./board.js";
import { tell } from "./dialog.js";
import { byId, say } from "./dom.js";
import { timeOfDay } from "./format.js";
import { setUpLogin, showLogin } from "./login.js";
import { eventsOf, historyOf, pictureOf } from "./picture.js";
import { loadPlotly } from "./plot.js";
import { Poll } from "./poll.js";
import { watchTheme } from "./theme.js";

const PICTURE_MS = 2000;
const HISTORY_MS = 15000;
const SESSION_MS = 2000;
const MOST_EVENTS = 400;

let lastAnswer = null;
let lostSince = null;
let entered = false;

const refresh = () => pictures.now();
const board = new Board(
  { pause: (name) => pause(name, refresh), resume: (name) => resume(name, refresh) },
  () => histories.now(),
);

const pictures = new Poll(
  () =>
    asking(async () => {
      const picture = pictureOf(await read("/api/performance/dashboard?history=false"));
      board.showPicture(picture);
      if (document.body.dataset.role === "admin") noticeRestart(picture);
    }),
  PICTURE_MS,
);

const histories = new Poll(
  () =>
    asking(async () => {
      const { period, worker } = board;
      const path = `/api/performance/metrics/history?period=${period}`;
      const fleet = historyOf(await read(path));
      const own = worker ? await ownHistory(`${path}&worker=${encodeURIComponent(worker)}`) : fleet;
      const events = eventsOf(await read(`/api/performance/events?period=${period}&count=${MOST_EVENTS}`));
      if (period === board.period && worker === board.worker) board.showHistory(fleet, own, events);
      else histories.now();
    }),
  HISTORY_MS,
);

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

async function ownHistory(path) {
  try {
    return historyOf(await read(path));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return []; // it has ended
    throw error;
  }
}

/** Asks, and says how that went; throws on, so that the next question comes later. */
async function asking(ask) {
  try {
    await ask();
    answered();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) leave("The login has ended: paste a token again.");
    else lost(error);
    throw error;
  }
}

function answered() {
  lastAnswer = new Date();
  lostSince = null;
  byId("board").classList.remove("stale");
  tellConnection("live", "Live");
}

function lost(error) {
  lostSince ??= lastAnswer || new Date();
  byId("board").classList.add("stale");
  const said = error instanceof Refused ? error.message : `No connection since ${timeOfDay(lostSince)}, trying again`;
  tellConnection("lost", said);
}

/** An answer that comes when the page is hidden already says nothing of what goes on from there. */
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
  byId("board").hidden = false;
  say(byId("role"), who.role);
  byId("role").hidden = false;
  // Where nobody is asked for a token there is nothing to log out of.
  byId("logout").hidden = who.expires_at === null;
  byId("content").focus({ preventScroll: true });
  loadPlotly();
  pictures.start();
  histories.start();
}

function leave(why) {
  sessions.stop();
  pictures.stop();
  histories.stop();
  if (byId("ask").open) byId("ask").close();
  if (!entered && !byId("login").hidden) return;
  entered = false;
  delete document.body.dataset.role;
  byId("board").hidden = true;
  byId("role").hidden = true;
  byId("logout").hidden = true;
  connection("paused", "Not logged in");
  showLogin(why);
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
watchTheme(byId("theme"), byId("theme-text"), () => board.draw());
setUpLogin(enter);
setUpActions(refresh);
sessions.start();
