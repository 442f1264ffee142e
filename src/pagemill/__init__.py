"""Validates product catalogues against live shop pages with real browsers, in flat memory.

Programs import `connect` for runs, `pagemill.strategies` for strategies and `pagemill.memory` for caches. Names that
are not in the `__all__` of these modules may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagemill.client import Pagemill, connect
    from pagemill.errors import PagemillError, RunIncomplete, RunStranded, ServiceUnavailable, UsageError
    from pagemill.model import ItemResult, Priority, Product, Verdict

__version__ = "0.2.0"

__all__ = [
    "ItemResult",
    "Pagemill",
    "PagemillError",
    "Priority",
    "Product",
    "RunIncomplete",
    "RunStranded",
    "ServiceUnavailable",
    "UsageError",
    "Verdict",
    "connect",
]

_HOMES = {
    "Pagemill": "client",
    "connect": "client",
    "PagemillError": "errors",
    "RunIncomplete": "errors",
    "RunStranded": "errors",
    "ServiceUnavailable": "errors",
    "UsageError": "errors",
    "ItemResult": "model",
    "Priority": "model",
    "Product": "model",
    "Verdict": "model",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, because most modules that import this package need none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
