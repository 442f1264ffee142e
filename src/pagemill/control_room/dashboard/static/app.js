// Builds the dashboard: what is requested, how often, and what is shown of it.

import { noticeRestart, pause, resume, setUpActions } from "./actions.js";
import { read, Refused } from "./api.js";
import { Board } from "./board.js";
import { eventsOf, historyOf, measuresOf, pictureOf } from "./picture.js";
import { loadPlotly } from "./plot.js";
import { Poll } from "./poll.js";
import { asking, mayChange, startShell } from "./shell.js";

const PICTURE_MS = 2000;
const HISTORY_MS = 15000;
const MOST_EVENTS = 400;

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
      if (mayChange()) noticeRestart(picture);
    }),
  PICTURE_MS,
);

const histories = new Poll(
  () =>
    asking(async () => {
      const { period, worker } = board;
      const path = `/api/performance/metrics/history?period=${period}`;
      const told = await read(path);
      const fleet = historyOf(told);
      const own = worker ? await ownHistory(`${path}&worker=${encodeURIComponent(worker)}`) : fleet;
      const events = eventsOf(await read(`/api/performance/events?period=${period}&count=${MOST_EVENTS}`));
      if (period === board.period && worker === board.worker) board.showHistory(fleet, own, events, measuresOf(told));
      else histories.now();
    }),
  HISTORY_MS,
);

async function ownHistory(path) {
  try {
    return historyOf(await read(path));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return []; // the worker has ended
    throw error;
  }
}

setUpActions(refresh);
startShell({
  enter() {
    loadPlotly();
    pictures.start();
    histories.start();
  },
  leave() {
    pictures.stop();
    histories.stop();
  },
  repaint: () => board.draw(),
});
