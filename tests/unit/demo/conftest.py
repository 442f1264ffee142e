"""The shops as one application, for the tests that ask them without a server."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from pagemill.demo.storefront import create_storefront


@pytest.fixture(scope="session")
def street() -> ASGIApp:
    """The practice shop with the six shops beside it. Its counts are shared by all tests."""
    return create_storefront(shops=True)
