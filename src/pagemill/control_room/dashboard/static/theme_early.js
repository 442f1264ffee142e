"use strict";
// Runs before the first paint, so that a dark page does not flash white.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("pagemill-theme") || "auto";
  } catch { /* storage may be refused; then the system decides */ }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
