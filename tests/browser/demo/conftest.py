"""A Chromium and a running practice shop for the tests of its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.demo.storefront import StorefrontProcess
from tests.browser.demo.chromium_visits import Chromium

_NAMES = ("chromium-headless-shell", "chromium", "google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """A browser for one test module."""
    found = os.environ.get("PAGEMILL_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium was found, and CI must not skip")
        pytest.skip("no Chromium was found: set PAGEMILL_CHROMIUM")
    with Chromium(Path(found)) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def running_shop() -> Iterator[StorefrontProcess]:
    """One shop for a test module."""
    with StorefrontProcess() as shop:
        yield shop


@pytest.fixture
def shop(running_shop: StorefrontProcess) -> StorefrontProcess:
    """The module's shop, with its counts at zero."""
    running_shop.reset()
    return running_shop
