// A numeric fact of a product over time, as a step line. Its values are also in the caption and in the table beside it.

import { say } from "../dom.js";
import { moment, plural } from "../format.js";
import { shown } from "./values.js";

const HEIGHT = 260;
const EDGE = { left: 68, right: 14, top: 12, bottom: 30 };
const TICKS = 4;
const SVG = "http://www.w3.org/2000/svg";

export class PriceChart {
  #place;
  #caption;
  #points = [];
  #name = "";

  constructor(place, caption) {
    this.#place = place;
    this.#caption = caption;
    new ResizeObserver(() => this.#draw()).observe(place);
  }

  /** `results` in any order, because overlapping runs visit a product in another order than they began. A result whose fact `name` is no number breaks the line. */
  show(results, name) {
    this.#name = name.replaceAll("_", " ");
    this.#points = results
      .map((each) => ({ at: new Date(each.finished_at), verdict: each.verdict, value: typeof each.facts[name] === "number" ? each.facts[name] : null }))
      .sort((one, other) => one.at - other.at);
    say(this.#caption, this.#inWords());
    this.#draw();
  }

  #inWords() {
    const known = this.#points.filter((point) => point.value !== null);
    if (!known.length) return `No run has read a ${this.#name} of this product.`;
    const values = known.map((point) => point.value);
    const changes = known.slice(1).filter((point, at) => point.value !== known[at].value).length;
    const [first, last] = [known[0], known.at(-1)];
    const span = known.length > 1 ? `from ${shown(first.value)} (${moment(first.at)}) to ${shown(last.value)} (${moment(last.at)})` : `${shown(first.value)} (${moment(first.at)})`;
    const silent = this.#points.length - known.length;
    const gaps = silent ? ` ${plural(silent, "run")} read none.` : "";
    return `The ${this.#name} ${span}: lowest ${shown(Math.min(...values))}, highest ${shown(Math.max(...values))}, ${plural(changes, "change")} in ${plural(known.length, "run")}.${gaps}`;
  }

  #draw() {
    const width = this.#place.clientWidth;
    const known = this.#points.filter((point) => point.value !== null);
    if (!width || !known.length) return this.#place.replaceChildren();
    const marks = ticks(Math.min(...known.map((point) => point.value)), Math.max(...known.map((point) => point.value)));
    const [begin, end] = [this.#points[0].at.getTime(), this.#points.at(-1).at.getTime()];
    const x = (at) => EDGE.left + ((width - EDGE.left - EDGE.right) * (end > begin ? (at - begin) / (end - begin) : 0.5));
    const y = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * (value - marks[0])) / (marks.at(-1) - marks[0]);
    const drawing = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": this.#caption.textContent });
    for (const mark of marks) {
      drawing.append(
        svg("line", { class: "grid-line", x1: EDGE.left, x2: width - EDGE.right, y1: y(mark), y2: y(mark) }),
        svg("text", { class: "axis", x: EDGE.left - 8, y: y(mark) + 4, "text-anchor": "end" }, shown(mark)),
      );
    }
    const days = new Set();
    for (const [at, anchor] of [[begin, "start"], [(begin + end) / 2, "middle"], [end, "end"]]) {
      const text = day(new Date(at));
      if (days.has(text)) continue;
      days.add(text);
      drawing.append(svg("text", { class: "axis", x: end > begin ? x(at) : x(begin), y: HEIGHT - 8, "text-anchor": end > begin ? anchor : "middle" }, text));
    }
    drawing.append(svg("path", { class: "price-line", d: steps(this.#points, x, y) }));
    for (const point of known) {
      const dot = svg("circle", { class: "price-point", cx: x(point.at.getTime()), cy: y(point.value), r: 3.5 });
      dot.append(svg("title", {}, `${moment(point.at)}: ${shown(point.value)}`));
      drawing.append(dot);
    }
    return this.#place.replaceChildren(drawing);
  }
}

/** A value holds until the next reading; after a visit without one, the value is unknown. */
function steps(points, x, y) {
  let path = "";
  let drawing = false;
  for (const point of points) {
    if (point.value === null) drawing = false;
    else if (drawing) path += `H${x(point.at.getTime())}V${y(point.value)}`;
    else {
      path += `M${x(point.at.getTime())} ${y(point.value)}`;
      drawing = true;
    }
  }
  return path;
}

/** Round numbers around the range of the values. */
function ticks(low, high) {
  const span = high - low || Math.abs(high) * 0.2 || 1;
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const found = [];
  const last = Math.ceil((high + (high === low ? step : 0)) / step);
  for (let at = Math.floor((low - (high === low ? step : 0)) / step); at <= last; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

const day = (date) => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "2-digit" }).format(date);

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

