// Repeats a request: one at a time, less and less often while it fails, and not while the page is hidden.

const MOST_MS = 30000;

export class Poll {
  #ask;
  #everyMs;
  #timer = null;
  #failures = 0;
  #running = false;
  #busy = false;
  #again = false;

  /** `ask` is an async function. If it throws, that counts as a failure; `ask` itself must show it. */
  constructor(ask, everyMs) {
    this.#ask = ask;
    this.#everyMs = everyMs;
    document.addEventListener("visibilitychange", () => {
      if (!this.#running) return;
      if (document.hidden) clearTimeout(this.#timer);
      else this.now();
    });
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    this.now();
  }

  stop() {
    this.#running = false;
    this.#again = false;
    clearTimeout(this.#timer);
  }

  /** Asks at once, or after the current request. */
  async now() {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      await this.#ask();
      this.#failures = 0;
    } catch {
      this.#failures += 1;
    } finally {
      this.#busy = false;
    }
    if (!this.#running || document.hidden) return;
    if (this.#again) {
      this.#again = false;
      this.now();
      return;
    }
    this.#timer = setTimeout(() => this.now(), Math.min(MOST_MS, this.#everyMs * 2 ** Math.min(this.#failures, 6)));
  }
}
