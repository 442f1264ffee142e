"""Names that strategies written for 0.1 import from here. They are in `pagemill.strategies` now. Removed in 0.3."""

from __future__ import annotations

from pagemill.old_names import old_names

__getattr__ = old_names(__name__, Watch="pagemill.strategies.Watch", visit_page="pagemill.strategies.visit_page")
