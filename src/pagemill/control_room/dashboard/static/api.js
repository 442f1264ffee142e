// Sends requests to the control API. Answers are JSON; every failure becomes one of two errors.

const DEADLINE_MS = 15000;
const ACTION_DEADLINE_MS = 120000;
const UPLOAD_DEADLINE_MS = 150000;

/** The path under which a proxy serves the API; empty without one. Taken from this file's own address. */
export const ROOT = new URL(import.meta.url).pathname.split("/performance/static/")[0];

/** The API answered with an error. */
export class Refused extends Error {
  constructor(status, message, retryAfterS = 0) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** The API did not answer. */
export class Unreachable extends Error {}

async function ask(method, path, { body, headers = {}, deadlineMs }) {
  let answer, told;
  try {
    answer = await fetch(ROOT + path, {
      method,
      // Without this header the API refuses a change as forged.
      headers: { Accept: "application/json", ...(method === "GET" ? {} : { "X-Requested-With": "pagemill" }), ...headers },
      body,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(deadlineMs),
    });
    told = await answer.text();
  } catch (error) {
    throw new Unreachable(error.name === "TimeoutError" ? "no answer in time" : "no connection", { cause: error });
  }
  let value = null;
  try {
    value = JSON.parse(told);
  } catch {
    throw new Unreachable(`an answer that is no JSON (${answer.status})`);
  }
  if (!answer.ok) {
    const message = (value && value.error && value.error.message) || `the API answered ${answer.status}`;
    throw new Refused(answer.status, message, Number(answer.headers.get("Retry-After")) || 0);
  }
  // Paths from older documents answer without an envelope.
  return value && typeof value === "object" && "success" in value && "data" in value ? value.data : value;
}

const asJson = (body) => (body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

export const read = (path) => ask("GET", path, { deadlineMs: DEADLINE_MS });
export const change = (method, path, body) => ask(method, path, { ...asJson(body), deadlineMs: ACTION_DEADLINE_MS });
/** Uploads a file; with the same `key`, a repeated attempt counts as the same request. */
export const upload = (path, file, type, key) =>
  ask("POST", path, { body: file, headers: { "Content-Type": type, "Idempotency-Key": key }, deadlineMs: UPLOAD_DEADLINE_MS });

export const session = () => read("/api/session");
export const logIn = (token) => change("POST", "/api/login", { token });
export const logOut = () => change("POST", "/api/logout");
