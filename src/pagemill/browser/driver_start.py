"""Confines Playwright's driver: it does not inherit pagemill's environment, and its longest messages are dropped.

Playwright itself passes the whole environment on and has no setting for either. This module starts nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from pagemill.browser.driver_messages import BoundedConnect
from pagemill.config.child_environment import driver_environment
from pagemill.errors import BrowserUnavailable

_PLACES = ("playwright._impl.transport", "playwright._impl._transport")
"""Modules that start the driver; the name has changed between versions."""
_NAME = "get_driver_env"
_PIPE, _CONNECT = "PipeTransport", "connect"
"""The class and method that read the driver's messages."""
_REMEDY = "install the version of constraints.txt, or write browser.driver: none"


def confine_driver() -> None:
    """From now on, drivers that this process starts inherit `driver_environment` only, and their messages that are
    longer than `browser.protocol_messages` allows are dropped.

    Raises:
        BrowserUnavailable: this version of Playwright starts its driver differently.
    """
    module = _transport()
    ask = getattr(module, _NAME, None)
    if ask is None:
        raise BrowserUnavailable(
            f"this version of Playwright would hand every secret in the environment to its driver: {_REMEDY}"
        )
    if not isinstance(ask, _Confined):
        setattr(module, _NAME, _Confined(ask))
    pipe = getattr(module, _PIPE, None)
    connect = None if pipe is None else vars(pipe).get(_CONNECT)
    if connect is None:
        raise BrowserUnavailable(f"with this version of Playwright a page could fill this process' memory: {_REMEDY}")
    if not isinstance(connect, BoundedConnect):
        setattr(pipe, _CONNECT, BoundedConnect(connect))


class _Confined:
    """Replaces Playwright's own function."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def __call__(self) -> dict[str, str]:
        return driver_environment({**os.environ, **self._ask()})


def _transport() -> Any:
    for place in _PLACES:
        try:
            return import_module(place)
        except ModuleNotFoundError:
            continue
    return None
