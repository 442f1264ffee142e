"""The commands that make a page bypass service workers. It may still register them, and wait for them."""

from __future__ import annotations

from typing import Any

KEEP_NOTHING: dict[str, Any] = {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0}
"""For `Network.enable`: Chromium keeps no answers in memory for later questions."""

PAST_SERVICE_WORKERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Network.enable", KEEP_NOTHING),  # without it, Chromium ignores the other command
    ("Network.setBypassServiceWorker", {"bypass": True}),
)
