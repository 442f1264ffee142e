// The charts, each with a caption that says in words what the chart shows.

import { byId, el, icon, say, sync } from "./dom.js";
import { capital, count, percent, plural, rate, size, timeOfDay, words } from "./format.js";
import { rolesOf, VERDICTS } from "./picture.js";
import { colour, draw, plain, thin } from "./plot.js";

/** The events that the memory chart marks. Their symbols differ, not only their colours. */
const MARKS = [
  { event: "Context Rotation", name: "context rotation", symbol: "circle-open", sign: "circle", colour: "quiet", row: 0.885 },
  { event: "Browser Rotation", name: "browser rotation", symbol: "triangle-down", sign: "triangle", colour: "role-browser", row: 0.925, line: "dot" },
  { event: "Driver Rotation", name: "driver rotation", symbol: "diamond", sign: "diamond", colour: "role-driver", row: 0.925, line: "dash" },
  { event: "Worker Started", name: "worker start", symbol: "star", sign: "star", colour: "good", row: 0.965, line: "solid" },
];
const SPANS_S = { hourly: 3600, daily: 86400, weekly: 604800 };
const PERIODS = { hourly: "the last hour", daily: "the last day", weekly: "the last week" };
const TICKS = { hourly: "%H:%M", daily: "%H:%M", weekly: "%a %d" };
const LEAST_SPAN_S = 300;
const MOST_LINES = 60;
/** A limit far above the curve is not drawn but written, because it would make the curve flat. */
const LIMIT_IN_SIGHT = 2.5;

/** The period from the first point on, if not all of it is known yet; at least some minutes. */
function span(period, now, points) {
  const whole = now.getTime() - SPANS_S[period] * 1000;
  const known = points.length ? Math.min(points[0].at.getTime(), now.getTime() - LEAST_SPAN_S * 1000) : whole;
  return [new Date(Math.max(whole, known)), now];
}

const hueOf = (role) => colour(`role-${role}`) || colour("role-other");

/** The legend. `items` have a name and a colour; marks also have a symbol. */
function showLegend(id, items) {
  sync(byId(id), items, (each) => each.name, (each) => {
    const swatch = each.sign ? icon(each.sign) : el("span", { class: "swatch", "aria-hidden": "true" });
    return {
      node: el("li", {}, swatch, each.name),
      update: (now) => (swatch.style[each.sign ? "color" : "background"] = now.hue),
    };
  });
}

const valid = (points) => points.filter((point) => point.at);

/** `choice` is a worker's name, or empty for all; `limitMb` is 0 if it is unknown. */
export async function drawMemory(points, events, { period, choice, limitMb, now }) {
  const shown = valid(points);
  const range = span(period, now, shown);
  const moments = shown.map((point) => point.at);
  const top = Math.max(1, ...shown.map((point) => point.totalMb));
  const limitShows = limitMb > 0 && limitMb <= top * LIMIT_IN_SIGHT;
  const ceiling = (limitShows ? Math.max(limitMb, top) : top) * 1.25;
  const traces = rolesOf(shown).map((role) => {
    const hue = hueOf(role);
    return {
      type: "scatter", mode: "lines", name: plain(role), stackgroup: "memory", x: moments,
      y: shown.map((point) => point.memory[role] || 0), line: { width: 1, color: hue }, fillcolor: thin(hue, 0.55),
      hovertemplate: "%{y:,.0f} MB",
    };
  });
  const shapes = [];
  const told = events.filter((each) => each.at >= range[0] && (!choice || each.worker === choice));
  for (const mark of MARKS) {
    const these = told.filter((each) => each.event === mark.event);
    if (!these.length) continue;
    traces.push({
      type: "scatter", mode: "markers", name: mark.name, x: these.map((each) => each.at), y: these.map(() => ceiling * mark.row),
      marker: { symbol: mark.symbol, size: 9, color: colour(mark.colour), line: { width: 1.4, color: colour(mark.colour) } },
      text: these.map((each) => plain([each.worker, each.facts.reason].filter(Boolean).join(": "))), hovertemplate: "%{text}",
    });
    if (mark.line) {
      for (const each of these.slice(0, MOST_LINES)) {
        shapes.push({
          type: "line", x0: each.at, x1: each.at, y0: 0, y1: ceiling * mark.row, layer: "above",
          line: { width: 1, dash: mark.line, color: thin(colour("quiet"), 0.6) },
        });
      }
    }
  }
  const annotations = [];
  if (limitShows) {
    shapes.push({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: limitMb, y1: limitMb, line: { width: 1.5, dash: "dash", color: colour("critical") },
    });
    annotations.push({
      xref: "paper", x: 1, xanchor: "right", y: limitMb, yanchor: "top", showarrow: false, bgcolor: thin(colour("card"), 0.85),
      text: `limit ${count(limitMb)} MB`, font: { color: colour("critical"), size: 11 },
    });
  }
  await draw("memory-chart", traces, {
    shapes, annotations, margin: { l: 52, r: 10, t: 8, b: 28 },
    xaxis: { type: "date", range, tickformat: TICKS[period] }, yaxis: { range: [0, ceiling], ticksuffix: " MB", tickformat: ",.0f" },
  });
  const seen = MARKS.filter((mark) => told.some((each) => each.event === mark.event));
  showLegend("memory-legend", [
    ...rolesOf(shown).map((role) => ({ name: role, hue: hueOf(role) })),
    ...seen.map((mark) => ({ name: mark.name, sign: mark.sign, hue: colour(mark.colour) })),
  ]);
  say(byId("memory-caption"), memoryWords(shown, told, { period, choice, limitMb }));
}

function memoryWords(points, told, { period, choice, limitMb }) {
  const who = choice || "all workers together";
  if (!points.length) return `No measurements of ${who} in ${PERIODS[period]} yet.`;
  const last = points[points.length - 1];
  const peak = points.reduce((best, point) => (point.totalMb > best.totalMb ? point : best));
  const limit = limitMb ? ` of a limit of ${size(limitMb).join(" ")}` : "";
  const marks = MARKS.map((mark) => [mark.name, told.filter((each) => each.event === mark.event).length]);
  const marked = marks.filter(([, number]) => number).map(([name, number]) => plural(number, name)).join(", ");
  return (
    `Memory (PSS) of ${who} over ${PERIODS[period]}: now ${size(last.totalMb).join(" ")}${limit}, at most ` +
    `${size(peak.totalMb).join(" ")} at ${timeOfDay(peak.at)}. ${marked ? `Marked: ${marked}.` : "Nothing was rotated that is marked here."}`
  );
}

export async function drawThroughput(points, { period, now }) {
  const shown = valid(points).slice(1); // a rate needs a point before
  const hue = colour("accent");
  await draw(
    "throughput-chart",
    [{ type: "scatter", mode: "lines", x: shown.map((point) => point.at), y: shown.map((point) => point.itemsPerS), line: { width: 2, color: hue }, fill: "tozeroy", fillcolor: thin(hue, 0.16), hovertemplate: "%{y:.2f} per second<extra></extra>" }],
    { xaxis: { type: "date", range: span(period, now, shown), tickformat: TICKS[period] } },
  );
  const values = shown.map((point) => point.itemsPerS);
  say(
    byId("throughput-caption"),
    values.length
      ? `Now ${rate(values[values.length - 1])}, on average ${rate(mean(values))}, at most ${rate(Math.max(...values))} in ${PERIODS[period]}.`
      : `No measurements in ${PERIODS[period]} yet.`,
  );
}

export async function drawLanes(points, { period, now }, allowed) {
  const shown = valid(points);
  const hue = colour("role-browser");
  const values = shown.map((point) => point.lanes);
  const inSight = allowed > 0 && allowed <= 4 * Math.max(1, ...values);
  const shapes = inSight
    ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: allowed, y1: allowed, line: { width: 1.5, dash: "dash", color: colour("quiet") } }]
    : [];
  await draw(
    "lanes-chart",
    [{ type: "scatter", mode: "lines", x: shown.map((point) => point.at), y: values, line: { width: 2, color: hue, shape: "hv" }, fill: "tozeroy", fillcolor: thin(hue, 0.16), hovertemplate: "%{y:.1f} visits<extra></extra>" }],
    { shapes, xaxis: { type: "date", range: span(period, now, shown), tickformat: TICKS[period] }, yaxis: { range: [0, Math.max(1, ...values, inSight ? allowed : 0) * 1.12] } },
  );
  say(
    byId("lanes-caption"),
    values.length
      ? `Now ${tenths(values[values.length - 1])} of ${count(allowed)} places${inSight ? " (dashed line)" : ""}, on average ${tenths(mean(values))} in ${PERIODS[period]}.`
      : `No measurements in ${PERIODS[period]} yet.`,
  );
}

const tenths = (value) => String(Math.round(value * 10) / 10);
const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

/** `measure` is one of those that a point may have, with name, meaning and unit. */
export async function drawMeasure(points, { name, meaning, unit }, { period, choice, now }) {
  const shown = valid(points).filter((point) => name in point.measures);
  const values = shown.map((point) => point.measures[name]);
  const hue = colour("role-python");
  await draw(
    "measured-chart",
    [{ type: "scatter", mode: "lines", x: shown.map((point) => point.at), y: values, line: { width: 2, color: hue }, hovertemplate: `%{y:,.1f} ${plain(unit)}<extra></extra>` }],
    { xaxis: { type: "date", range: span(period, now, shown), tickformat: TICKS[period] } },
  );
  const told = (value) => `${tenths(value)} ${unit}`.trim();
  const whose = choice || "the worker where it is highest";
  say(
    byId("measured-caption"),
    values.length
      ? `${capital(meaning)}, of ${whose}: now ${told(values[values.length - 1])}, on average ${told(mean(values))}, at most ${told(Math.max(...values))} in ${PERIODS[period]}.`
      : `${capital(meaning)}: no measurements in ${PERIODS[period]} yet.`,
  );
}

export async function drawVerdicts(platforms) {
  const shown = platforms.filter((each) => each.products > 0).reverse();
  const traces = VERDICTS.map((verdict) => {
    const shares = shown.map((each) => (100 * (each.verdicts[verdict] || 0)) / each.products);
    return {
      type: "bar", orientation: "h", name: words(verdict), y: shown.map((each) => plain(each.name)), x: shares,
      marker: { color: colour(`verdict-${verdict}`), line: { width: 1, color: colour("card") } },
      text: shares.map((share) => (share >= 9 ? `${share.toFixed(0)}%` : "")), textposition: "inside", insidetextanchor: "middle", textangle: 0,
      insidetextfont: { color: colour("on-verdict"), size: 11 },
      customdata: shown.map((each) => count(each.verdicts[verdict] || 0)), hovertemplate: "%{customdata} (%{x:.1f}%)",
    };
  });
  await draw("verdicts-chart", traces, {
    barmode: "stack", bargap: 0.35, hovermode: "y unified", margin: { l: 60, r: 10, t: 4, b: 24 },
    xaxis: { range: [0, 100], ticksuffix: " %", nticks: 5, showgrid: true }, yaxis: { type: "category", nticks: shown.length || 1 },
  });
  const hues = VERDICTS.map((verdict) => ({ name: words(verdict), hue: colour(`verdict-${verdict}`) }));
  showLegend("verdicts-legend", shown.length ? hues : []);
  say(byId("verdicts-caption"), verdictWords(platforms));
}

function verdictWords(platforms) {
  const totals = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0]));
  let products = 0;
  for (const each of platforms) {
    for (const verdict of VERDICTS) totals[verdict] += each.verdicts[verdict] || 0;
    products += each.products;
  }
  if (!products) return "No verdicts since the workers started.";
  const shares = VERDICTS.filter((verdict) => totals[verdict]).map((verdict) => `${words(verdict)} ${percent((100 * totals[verdict]) / products)}`);
  return `${capital(plural(products, "product"))} since the workers started: ${shares.join(", ")}.`;
}


