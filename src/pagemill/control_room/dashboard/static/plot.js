// Everything about plotly: loading, colours, axes, and redrawing without flicker. Knows nothing of the fleet.

import { byId } from "./dom.js";

let loading = null;

/** Loads plotly in the background, because it is large; false if that fails. */
export function loadPlotly() {
  loading ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = new URL("./plotly.min.js", import.meta.url).href;
    script.addEventListener("load", () => done(Boolean(window.Plotly)));
    script.addEventListener("error", () => done(false));
    document.head.append(script);
  });
  return loading;
}

/** A colour of the current theme. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The same colour, transparent. */
export const thin = (hex, share) => `${hex}${Math.round(share * 255).toString(16).padStart(2, "0")}`;

/** Escapes a text, because plotly interprets some HTML in its labels. */
export const plain = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").slice(0, 120);

function layout(own) {
  const quiet = colour("quiet"), line = colour("line"), card = colour("card"), ink = colour("ink");
  const axis = {
    gridcolor: line, linecolor: line, zerolinecolor: line, tickfont: { color: quiet, size: 11 }, fixedrange: true,
    automargin: true,
  };
  const { xaxis, yaxis, ...rest } = own;
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink },
    margin: { l: 44, r: 10, t: 8, b: 28 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: card, bordercolor: line, font: { color: ink, size: 12 } },
    dragmode: false,
    showlegend: false,
    autosize: true,
    ...rest,
    xaxis: { ...axis, showgrid: false, ...xaxis },
    yaxis: { ...axis, rangemode: "tozero", nticks: 5, ...yaxis },
  };
}

const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false };

/** Draws, or redraws. `traces` and `own` are plotly's traces and layout. */
export async function draw(id, traces, own) {
  const place = byId(id);
  if (!(await loadPlotly())) {
    place.textContent = "Charts are not available: plotly could not be loaded. The sentence below says the same.";
    place.removeAttribute("aria-hidden");
    return;
  }
  await window.Plotly.react(place, traces, layout(own), CONFIG);
}
