// Formats numbers, sizes and times for people.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const two = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dated = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const count = (value) => whole.format(value);
export const rate = (value) => (value >= 100 ? whole : value >= 10 ? one : two).format(value);
export const percent = (value) => `${(value > 0 && value < 10 ? one : whole).format(value)} %`;
export const megabytes = (value) => `${whole.format(value)} MB`;

/** A size as number and unit. */
export function size(megabytes) {
  return megabytes >= 10000 ? [one.format(megabytes / 1024), "GB"] : [whole.format(megabytes), "MB"];
}

export function duration(seconds) {
  if (seconds < 1) return `${whole.format(seconds * 1000)} ms`;
  if (seconds < 10) return `${one.format(seconds)} s`;
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172800) return `${one.format(seconds / 3600)} h`;
  return `${one.format(seconds / 86400)} days`;
}

export const timeOfDay = (date) => clock.format(date);

/** The time of day, with the date if it is not today. */
export function moment(date, now = new Date()) {
  return date.toDateString() === now.toDateString() ? clock.format(date) : dated.format(date);
}

export const words = (name) => String(name).replaceAll("_", " ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
