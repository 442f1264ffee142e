// Light or dark: the system's choice, or the user's, which is remembered.

const KEY = "pagemill-theme";
const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

function remembered() {
  try {
    const chosen = localStorage.getItem(KEY);
    return ORDER.includes(chosen) ? chosen : "auto";
  } catch {
    return "auto";
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(KEY, chosen);
  } catch { /* then it holds until the page is closed */ }
}

/** Sets up the button; `changed` is called after every change of the colours. */
export function watchTheme(button, label, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = remembered();
  const apply = () => {
    const dark = chosen === "dark" || (chosen === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    label.textContent = NAMES[chosen];
    changed();
  };
  button.addEventListener("click", () => {
    chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
    remember(chosen);
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
