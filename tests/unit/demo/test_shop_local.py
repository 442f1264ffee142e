"""The shipped files of the six shops, pointed at this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pagemill.config.loading import load_config
from pagemill.demo.shops.addresses import ADDRESSES, REAL_HOSTS, SHOPS, shop_at, shop_url
from pagemill.demo.shops.catalogue import COLUMNS, generate_shop, write_shop_csv
from pagemill.demo.shops.local import localised, write_local_config
from pagemill.errors import UsageError
from pagemill.intake.catalog import BadRow, read_catalog

SHIPPED = Path(__file__).parents[3] / "config"
PORT = 8900


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def shipped(shop: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((SHIPPED / "platforms" / f"{shop}.yaml").read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("shop", SHOPS)
def test_every_address_of_a_shop_becomes_its_own(shop: str) -> None:
    """No host of a real shop is left, and paths, images and everything else stay."""
    data, local = shipped(shop), localised(shipped(shop), PORT)
    hosts = [host for known in REAL_HOSTS.values() for host in known]
    assert not [text for text in texts(local) if any(f"https://{host}" in text for host in hosts)]
    assert local["hosts"] == [ADDRESSES[shop]]
    assert local["product"]["id"] == data["product"]["id"]
    visit = data["product"]["visit"]
    assert local["product"]["visit"] == re.sub(r"https://[^/]+", shop_url(shop, PORT), visit)
    assert local["judge"] == data["judge"]


@pytest.mark.parametrize("shop", SHOPS)
def test_hosts_of_the_shipped_file_are_those_that_are_replaced(shop: str) -> None:
    """Else an address would be asked that is not of this machine."""
    assert set(shipped(shop)["hosts"]) == set(REAL_HOSTS[shop])


def test_nothing_is_waited_for_on_this_machine() -> None:
    """No waits, no limit of the fleet, no breaker, quick retries, short time-outs; the width stays."""
    local = localised(shipped("zigzag"), PORT)
    assert local["workflow"] == {
        "rate_limit": {"enabled": True, "wait_time_ms": 0},
        "concurrency": {"default": 1},
        "breaker": {"enabled": False},
    }
    assert local["retry"] == {"attempts": 3, "backoff_ms": 50}
    assert localised({"platform": "ably"}, PORT)["navigation"] == {"timeout_ms": 10_000}


def test_only_whole_hosts_are_replaced() -> None:
    """Images, look-alikes and plain names stay as they are."""
    kept = [
        "https://image.msscdn.net/a",
        "https://www.kurly.com.evil.test/",
        "https://www.kurly.com:8443/",
        "zigzag.kr",
    ]
    changed = ["see https://www.kurly.com/goods/{id}", "https://m.oliveyoung.co.kr"]
    local = localised({"platform": "kurly", "x": {"y": [*kept, *changed]}}, PORT)
    assert local["x"]["y"] == [*kept, "see http://127.0.0.14:8900/goods/{id}", "http://127.0.0.15:8900"]


def test_given_data_stay_as_they_are() -> None:
    """The caller may localise the same data for another port."""
    data = shipped("musinsa")
    localised(data, PORT)
    assert data == shipped("musinsa")


@pytest.mark.parametrize("name", ["demo-api", None, 7])
def test_other_platforms_are_refused(name: object) -> None:
    """They have no shop to be pointed at."""
    with pytest.raises(UsageError, match="musinsa"):
        localised({"platform": name}, PORT)


def test_written_folder_is_a_configuration(tmp_path: Path) -> None:
    """pagemill loads it, and takes every row of the shops' catalogues."""
    written = write_local_config(SHIPPED, tmp_path / "config", PORT)
    assert [path.stem for path in written] == list(SHOPS)
    config = load_config(tmp_path / "config", {})
    assert sorted(config.platforms) == sorted(SHOPS)
    for shop in SHOPS:
        file = tmp_path / f"{shop}.csv"
        rows = list(generate_shop(shop, shop_url(shop, PORT), 60))
        write_shop_csv(file, rows)
        bad: list[BadRow] = []
        products = list(read_catalog(file, config.platforms[shop], bad.append))
        assert bad == []
        assert products == [row.product for row in rows]
        assert set(config.platforms[shop].extract.fields) == set(COLUMNS) - {"id", "url"}


def test_folder_without_a_shop_is_named(tmp_path: Path) -> None:
    """The message says which file is missing."""
    with pytest.raises(UsageError, match=r"musinsa\.yaml is not there"):
        write_local_config(tmp_path, tmp_path / "out", PORT)


@pytest.mark.parametrize("shop", SHOPS)
def test_address_leads_back_to_the_shop(shop: str) -> None:
    """With its port or without."""
    assert shop_at(ADDRESSES[shop]) == shop_at(f"{ADDRESSES[shop]}:8900") == shop
    assert shop_at("127.0.0.1:8900") is None
    assert shop_at("") is None
