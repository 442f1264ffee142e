"""Names that modules had in 0.1 still work, and say what to write instead."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from pagemill import strategies
from pagemill.demo import catalogue

OLD: dict[tuple[str, str], Any] = {
    ("pagemill.extraction.look", "Watch"): strategies.Watch,
    ("pagemill.extraction.look", "visit_page"): strategies.visit_page,
    ("pagemill.demo.catalogue", "write_csv"): catalogue.write_catalogue_csv,
}


@pytest.mark.parametrize(("module", "name"), OLD)
def test_a_name_of_0_1_is_what_took_its_place(module: str, name: str) -> None:
    """With a warning that a user sees, with the new name in it."""
    today = OLD[module, name]
    with pytest.warns(FutureWarning, match=f"{name} goes in 0.3: import {today.__name__} from pagemill"):
        assert getattr(importlib.import_module(module), name) is today


def test_any_other_name_is_not_there() -> None:
    """As of every module."""
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        importlib.import_module("pagemill.extraction.look").nobody  # noqa: B018
