// The way to the control API. Every answer is JSON; every failure becomes one of two errors.

const DEADLINE_MS = 15000;
const ACTION_DEADLINE_MS = 120000;

/** The API answered, and refused. */
export class Refused extends Error {
  constructor(status, message, retryAfterS = 0) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** The API did not answer. */
export class Unreachable extends Error {}

async function ask(method, path, body, deadlineMs) {
  const headers = { Accept: "application/json" };
  // Without this header the API takes a change for a forged one.
  if (method !== "GET") headers["X-Requested-With"] = "pagemill";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer, told;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
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
  // The paths of the older documents answer without an envelope.
  return value && typeof value === "object" && "success" in value && "data" in value ? value.data : value;
}

export const read = (path) => ask("GET", path, undefined, DEADLINE_MS);
export const change = (method, path, body) => ask(method, path, body, ACTION_DEADLINE_MS);

export const session = () => read("/api/session");
export const logIn = (token) => change("POST", "/api/login", { token });
export const logOut = () => change("POST", "/api/logout");
