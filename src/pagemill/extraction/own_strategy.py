"""A user's own strategy: imported by its dotted path, and held to the contract of `Strategy`.

Adds nothing to Python's path. The docstring of `strategy` says what a strategy may rely on.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from pagemill.config.platform import Platform
from pagemill.config.reading.source import Source
from pagemill.errors import ConfigError, Problem, VisitFailed
from pagemill.extraction.navigate import meant_by
from pagemill.extraction.visit import Visit
from pagemill.model import FactValue, PageReading
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

_PATH_REMEDY = "install its package, or put its folder on PYTHONPATH; the current folder is not searched by itself"


class _Reads(Protocol):
    """A protocol because each user's class is one of its own."""

    def read(self, page: Page, visit: Visit) -> Awaitable[Any]: ...


class OwnStrategy:
    """Runs a user's strategy and completes what its author could not know.

    Playwright's errors become pagemill's. Fields that the strategy left out become facts that the page did not say;
    otherwise a product would pass although its expected values were never looked at.
    """

    def __init__(self, inner: _Reads, fields: tuple[str, ...]) -> None:
        self._inner = inner
        self._fields = fields

    def needs_page(self, visit: Visit) -> bool:
        """Always true: what a user's class does is not known."""
        return True

    async def read(self, page: Page | None, visit: Visit) -> PageReading:
        """See `Strategy.read`."""
        assert page is not None
        try:
            reading = await self._inner.read(page, visit)
        except PlaywrightError as error:
            raise await meant_by(error, page, "visit") from error
        if not isinstance(reading, PageReading):
            kind = type(self._inner).__name__
            raise VisitFailed(f"{kind}.read returned {type(reading).__name__} instead of a PageReading")
        facts: dict[str, FactValue] = dict.fromkeys(self._fields) | dict(reading.facts)
        return replace(reading, facts=facts, asked=reading.asked or visit.url)

    def close(self) -> None:
        """Calls the user's own `close`, if there is one, when the strategy is dropped."""
        close = getattr(self._inner, "close", None)
        if callable(close):
            close()


def import_strategy(platform: Platform, source: Source) -> _Reads:
    """Imports the class that a source names, and makes it with the platform, and with its options if it takes them.

    Raises:
        ConfigError: there is no such module or class, it cannot be made, or has no `read`.
    """
    path = source.strategy
    module_name, _, class_name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise _problem(platform, f"{path}: no module named {error.name}", _PATH_REMEDY) from error
    except Exception as error:  # a user's module may raise anything while it is imported
        raise _problem(platform, f"{path}: importing it fails with {_told(error)}", "mend the module") from error
    kind = getattr(module, class_name, None)
    if not isinstance(kind, type):
        raise _problem(platform, f"{path}: {module_name} has no class {class_name}", "write a class that is there")
    if not callable(getattr(kind, "read", None)):
        raise _problem(platform, f"{path}: the class has no read", "add: async def read(self, page, visit)")
    options = {"options": dict(source.options)} if _takes_options(kind) else {}
    if source.options and not options:
        message = f"{path}: the class takes no options"
        raise _problem(platform, message, "write def __init__(self, platform, options), or remove options")
    try:
        made: _Reads = kind(platform, **options)
    except Exception as error:
        remedy = "it is made with the platform, and with options if it has an argument of that name"
        raise _problem(platform, f"{path}: making it fails with {_told(error)}", remedy) from error
    return made


def _takes_options(kind: type) -> bool:
    """Whether the class wants the source's `options` besides the platform."""
    try:
        return "options" in inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return False


def _problem(platform: Platform, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(f"platforms/{platform.platform}.yaml", None, "extract.strategy", message, remedy)])


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
