"""Names in this machine's own hosts file that lead to loopback, as pagemill and Chromium both find them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.namespaces import need
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

WITH_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
HOSTS = "127.0.0.1 localhost shop.test\n"
REFUSED = "host shop.test resolves to the private address 127.0.0.1: list it in hosts to allow it"


@pytest.fixture(autouse=True)
def _possible() -> None:
    need(*WITH_MOUNTS)


def tried(place: Workplace, url: str, platform: str) -> subprocess.CompletedProcess[str]:
    """`pagemill try` with a hosts file of its own."""
    hosts: Path = place.folder / "hosts"
    hosts.write_text(HOSTS)
    script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    command = [sys.executable, "-m", "pagemill", "try", url, "--platform", platform, "--id", "a-000002.ok"]
    return subprocess.run(
        [*WITH_MOUNTS, "sh", "-c", script, "sh", str(hosts), *command],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("driver", ["none", "playwright"])
def test_a_page_there_is_visited_only_if_the_address_is_listed(
    place: Workplace, shop: StorefrontProcess, driver: str
) -> None:
    """The reason says how."""
    url = next(iter(generate("demo-hydrated", shop.base_url, 1))).product.url.replace("127.0.0.1", "shop.test")
    place.settings(browser={"driver": driver})
    place.platform("demo-hydrated", hosts=["shop.test"])
    refused = tried(place, url, "demo-hydrated")
    assert refused.returncode == 1
    assert REFUSED in refused.stderr
    assert shop.hits().total == 0
    place.platform("demo-hydrated", hosts=["shop.test", "127.0.0.1"])
    visited = tried(place, url, "demo-hydrated")
    assert visited.returncode == 0, visited.stderr


def test_an_address_without_a_page_is_asked_only_if_it_is_listed(place: Workplace, shop: StorefrontProcess) -> None:
    """Of `http`, too."""
    fields = {"name": "data.name", "price": {"path": "data.price", "type": "number"}}
    extract = {"strategy": "http", "match": None, "url": "/api/v1/products/{id}", "fields": fields}
    judge: dict[str, Any] = {"gone": {}, "blocked": {}, "sold_out": {}}
    url = f"{shop.base_url}/api/p/a-000002.ok".replace("127.0.0.1", "shop.test")
    place.platform("demo-api", hosts=["shop.test"], extract=extract, judge=judge)
    refused = tried(place, url, "demo-api")
    assert refused.returncode == 1
    assert REFUSED in refused.stdout + refused.stderr
    assert shop.hits().total == 0
    place.platform("demo-api", hosts=["shop.test", "127.0.0.0/8"], extract=extract, judge=judge)
    visited = tried(place, url, "demo-api")
    assert visited.returncode == 0, visited.stderr
