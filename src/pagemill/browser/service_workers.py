"""The commands by which a page's requests go past service workers; it may register them, and wait for them."""

from __future__ import annotations

from typing import Any

KEEP_NOTHING: dict[str, Any] = {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0}
"""For `Network.enable`: no answer stays in memory so that somebody may ask for it."""

PAST_SERVICE_WORKERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Network.enable", KEEP_NOTHING),  # without it, Chromium takes the other one and forgets it
    ("Network.setBypassServiceWorker", {"bypass": True}),
)
