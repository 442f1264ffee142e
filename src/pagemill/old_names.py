"""Keeps names of 0.1 that have moved: they can still be imported from their old modules. Removed in 0.3."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any


def old_names(module: str, **places: str) -> Callable[[str], Any]:
    """Returns the `__getattr__` for a module that had these names. `places` has the present dotted path of each; using
    an old name warns."""

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        where, _, today = places[name].rpartition(".")
        warnings.warn(f"{module}.{name} goes in 0.3: import {today} from {where}", FutureWarning, stacklevel=2)
        return getattr(importlib.import_module(where), today)

    return find
