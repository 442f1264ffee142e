// Asks again and again: one request at a time, more and more rarely while it fails, not at all while nobody looks.

const MOST_MS = 30000;

export class Poll {
  #ask;
  #everyMs;
  #timer = null;
  #failures = 0;
  #running = false;
  #busy = false;
  #again = false;

  /** `ask` is an async function; what it throws counts as a failure and is its own to show. */
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

  /** Asks at once; after the request under way where there is one. */
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
