"""Real parts for whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace


@pytest.fixture(scope="session")
def running_shop() -> Iterator[StorefrontProcess]:
    """One practice shop for all tests."""
    with StorefrontProcess() as shop:
        yield shop


@pytest.fixture
def shop(running_shop: StorefrontProcess) -> StorefrontProcess:
    """The practice shop with its counts at zero."""
    running_shop.reset()
    return running_shop


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A workplace in an empty folder."""
    return Workplace(tmp_path / "work place")
