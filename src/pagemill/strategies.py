"""The names for writing a strategy of your own: see docs/configuration.md, "A strategy of your own"."""

from __future__ import annotations

from pagemill.config.reading.field_rule import FieldRule
from pagemill.errors import DeadlineExceeded, VisitFailed, VisitRefused
from pagemill.extraction.page_reader import Watch, visit_page
from pagemill.extraction.strategy import Strategy, Visit
from pagemill.extraction.values import to_fact
from pagemill.model import PageReading

__all__ = [
    "DeadlineExceeded",
    "FieldRule",
    "PageReading",
    "Strategy",
    "Visit",
    "VisitFailed",
    "VisitRefused",
    "Watch",
    "to_fact",
    "visit_page",
]
