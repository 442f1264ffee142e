"""A user id without an entry in passwd and without HOME, as containers are run by the thousand: everything works."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.namespaces import AS_NAMELESS, need
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

KEPT = ("PATH", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "PAGEMILL_CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH")


@pytest.fixture(autouse=True)
def _possible() -> None:
    need(*AS_NAMELESS)


def nameless(place: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end as that user."""
    environment = {name: value for name, value in place.environment.items() if name in KEPT}
    return subprocess.run(
        [*AS_NAMELESS, sys.executable, "-m", "pagemill", *arguments],
        cwd=place.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_check_is_content(place: Workplace) -> None:
    """It looks for a browser in no home, and finds the one of the machine."""
    said = nameless(place, "check")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "NOT OK" not in said.stdout


@pytest.mark.parametrize("driver", ["none", "playwright"])
def test_a_worker_works(place: Workplace, shop: StorefrontProcess, driver: str) -> None:
    """With Chromium alone and with Playwright's driver, which both want a home; the embedded Redis needs none."""
    place.settings(browser={"driver": driver})
    rows = list(generate("demo-hydrated", shop.base_url, 8))
    run = place.enqueue("demo-hydrated", rows)
    said = nameless(place, "worker", "--burst")
    assert said.returncode == 0, said.stderr
    assert_each_right_once(rows, place.results(run))
    place.assert_nothing_left()


def test_trying_a_product_works(place: Workplace, shop: StorefrontProcess) -> None:
    """As it is done first on a new machine."""
    url = next(iter(generate("demo-hydrated", shop.base_url, 1))).product.url
    said = nameless(place, "try", url, "--platform", "demo-hydrated")
    assert "Traceback" not in said.stderr
    assert said.returncode == 0, said.stdout + said.stderr
    assert list(place.scratch.iterdir()) == []
