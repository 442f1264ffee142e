"""What every contestant is given and what it notes. Standard library only: each peer has an environment of its own."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

READY = "body[data-ready]"

READ = """() => new Promise((resolve) => {
  const read = () => {
    if (!document.querySelector('body[data-ready]')) return false;
    const text = (selector) => document.querySelector(selector)?.textContent ?? null;
    const image = document.querySelector('img.photo')?.getAttribute('src') ?? null;
    resolve({name: text('h1.name'), price: text('.price'), stock: text('.stock'), image});
    return true;
  };
  if (read()) return;
  const observer = new MutationObserver(() => read() && observer.disconnect());
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
})"""
"""Waits for the content and reads it in one call: the fastest way that is known, for every contestant that can."""

WIDTH, HEIGHT = 320, 240


class Job:
    """The task: which URLs, how many lanes, with which Chromium and which of its switches."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--urls", type=Path, required=True, help="a file with one per line")
        parser.add_argument("--lanes", type=int, required=True)
        parser.add_argument("--output", type=Path, required=True, help="gets one line of JSON per visit")
        parser.add_argument("--chromium", required=True)
        parser.add_argument("--switches", default="[]", help="a JSON list of Chromium's switches")
        parser.add_argument("--gap-s", type=float, default=0.0, help="seconds between two visits of a lane")
        parser.add_argument("--shops", type=int, default=1, help="whose URLs these are, in turns; lanes are each one's")
        parser.add_argument("--per-minute", type=float, default=0.0, help="visits of each shop; 0: as fast as it goes")
        parser.add_argument("--hidden", action="store_true", help="never lay a page out or draw it")
        options = parser.parse_args()
        self.urls: list[str] = options.urls.read_text().split()
        self.lanes: int = options.lanes
        self.chromium: str = options.chromium
        self.switches: list[str] = json.loads(options.switches)
        self.gap_s: float = options.gap_s
        self.shops: int = options.shops
        self.per_minute: float = options.per_minute
        self.hidden: bool = options.hidden
        self._output = options.output.open("w", buffering=1)

    def note(self, url: str, started: float, facts: Mapping[str, Any]) -> None:
        """Writes down one visit that ended now; `started` is `time.time()` of when it began."""
        self._output.write(json.dumps({"url": url, "started": started, "finished": time.time(), "facts": facts}) + "\n")


now: Callable[[], float] = time.time
