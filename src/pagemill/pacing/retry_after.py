"""The HTTP header `Retry-After` (RFC 9110, 10.2.3). Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MAX_DIGITS = 9


def retry_after_s(header: str, now: datetime) -> float | None:
    """Seconds to wait from `now`, not below 0; `None` for what is neither a number of seconds nor a date."""
    text = header.strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text[:_MAX_DIGITS])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
