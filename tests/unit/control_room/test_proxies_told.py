"""What operators are told of proxies: names, counts and reasons, in metrics, in `status` and in `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from rich.console import Console

from pagemill.browser.visitor.proxies import ProxyState
from pagemill.checks.examination import _described, _outdated, _visitor
from pagemill.checks.finding import looked_at
from pagemill.cli.status import _proxies
from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.config.visitor.secrets import Credentials, ProxyAddress
from pagemill.control_room.metrics import families
from pagemill.fleet.snapshot import WorkerSnapshot

WORKER = WorkerSnapshot(
    name="w1",
    pid=1,
    host="h",
    platforms=("shop",),
    lanes=1,
    size=1,
    pss_mb=1.0,
    peak_pss_mb=1.0,
    leases=1,
    proxies=(ProxyState("A", 7, 0), ProxyState("B", 3, 2, 59.6, "cannot be reached")),
)


def test_metrics_tell_each_proxy_of_each_worker() -> None:
    """Contexts, failures and the rest that is left."""
    told = {
        (sample.name, sample.labels["proxy"]): sample.value
        for family in families.proxies([WORKER])
        for sample in family.samples
    }
    assert told == {
        ("pagemill_proxy_contexts_total", "A"): 7,
        ("pagemill_proxy_contexts_total", "B"): 3,
        ("pagemill_proxy_failures_total", "A"): 0,
        ("pagemill_proxy_failures_total", "B"): 2,
        ("pagemill_proxy_resting_seconds", "A"): 0,
        ("pagemill_proxy_resting_seconds", "B"): 59.6,
    }


def test_a_snapshot_carries_them_through_redis() -> None:
    """As JSON and back."""
    adapter = TypeAdapter(WorkerSnapshot)
    assert adapter.validate_json(adapter.dump_json(WORKER)).proxies == WORKER.proxies


def test_status_shows_which_proxy_rests_and_why() -> None:
    """By name."""
    console = Console(width=120, record=True)
    console.print(_proxies([WORKER]))
    shown = console.export_text()
    assert "rests for 60 s: it cannot be reached" in shown
    assert "serves" in shown


def config_of(folder: Path, driver: str = "auto", **visitor: Any) -> Config:
    """A configuration with one platform that has this visitor."""
    platform = Platform.model_validate(
        {"platform": "shop", "hosts": ["shop.test"], "extract": {"fields": {"name": "h1"}}, "visitor": visitor}
    )
    secrets: dict[str, Any] = {
        "proxies": {"A": ProxyAddress.parse("http://u:hunter2@proxy.test:1")},
        "credentials": {"SHOP": Credentials("keeper", "hunter2")},
    }
    environment = Environment(config_folder=folder, **secrets)
    settings = Settings.model_validate({"browser": {"driver": driver}})
    return Config(settings=settings, platforms={"shop": platform}, environment=environment)


def test_check_tells_who_the_visitor_is(tmp_path: Path) -> None:
    """With the names of secrets and nothing of what they hold."""
    visitor: dict[str, Any] = {
        "device": "Pixel 7",
        "locale": "ko-KR",
        "session": "clear",
        "proxies": ["A"],
        "credentials": "SHOP",
    }
    config = config_of(tmp_path, **visitor)
    ((_, platform),) = _described(config)
    said = _visitor(config, platform)
    assert said == "Pixel 7, ko-KR, window 412x839, session clear, credentials SHOP, proxies A"
    assert "hunter2" not in repr(config)
    assert "proxy.test" not in repr(config)


CANNOT = {
    "a proxy without an address": ({"proxies": ["A", "B"]}, "auto", "PAGEMILL_PROXY_B is not set"),
    "certificates without the driver": (
        {"client_certificates": [{"origin": "https://shop.test", "pfx_file": __file__}]},
        "none",
        "browser.driver is none",
    ),
}


@pytest.mark.parametrize(("visitor", "driver", "message"), CANNOT.values(), ids=CANNOT)
def test_check_tells_what_cannot_work(tmp_path: Path, visitor: dict[str, Any], driver: str, message: str) -> None:
    """As a finding that is not fine, with exit code 2."""
    config = config_of(tmp_path, driver, **visitor)
    finding = looked_at("visitor", lambda: _visitor(config, config.platforms["shop"]))[0]
    assert (finding.fine, finding.exit_code) == (False, 2)
    assert message in finding.text


def test_check_advises_to_rename_old_keys(tmp_path: Path) -> None:
    """They go on working."""
    config = config_of(tmp_path)
    old = config.platforms["shop"].model_dump() | {"navigation": {"locale": "ko-KR"}}
    platform = Platform.model_validate(old | {"extract": {"fields": {"name": "h1"}}, "visitor": {}})
    config = config.model_copy(update={"platforms": {"shop": platform}})
    (finding,) = _outdated(config)
    assert finding.is_advice
    assert "navigation.locale is called visitor.locale now" in finding.text
