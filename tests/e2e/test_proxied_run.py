"""A whole run through two proxies that want passwords, one of which dies: no product is lost, no secret is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from benchmarks.chaos_processes import command_line
from pagemill.app.browsing import running_loop
from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.engine.loop_thread import LoopThread
from tests.browser.visitor.signing_proxy import SigningProxy
from tests.e2e.workplace import Workplace, assert_each_right_once, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PASSWORD = "hunter2-of-the-proxy"


@contextmanager
def running_proxies(*names: str) -> Iterator[tuple[list[SigningProxy], LoopThread]]:
    """Proxies on a loop and thread of their own, while commands run."""
    proxies = [SigningProxy(name, PASSWORD) for name in names]
    with running_loop() as loop:
        for proxy in proxies:
            loop.run(proxy.start(), 10, "start a proxy")
        try:
            yield proxies, loop
        finally:
            for proxy in proxies:
                loop.run(proxy.die(), 10, "end a proxy")


@pytest.mark.parametrize("driver", ["playwright", "none"])
def test_a_run_outlives_the_death_of_one_of_its_proxies(place: Workplace, shop: StorefrontProcess, driver: str) -> None:
    """80 products, each right once; by name in log and `status`, and the password in nothing that anybody sees."""
    place.settings(browser={"driver": driver})
    visitor = {"proxies": ["SEOUL_A", "SEOUL_B"]}
    pace = {"rate_limit": {"wait_time_ms": 300}}
    place.platform("demo-hydrated", workflow=pace, visitor=visitor, rotation={"page": 5, "context": 10})
    rows = list(generate("demo-hydrated", shop.base_url, 80))
    run = place.enqueue("demo-hydrated", rows)
    seen: list[str] = []
    with running_proxies("a", "b") as ((first, second), loop):
        place.environment_changes |= {"PAGEMILL_PROXY_SEOUL_A": first.url, "PAGEMILL_PROXY_SEOUL_B": second.url}
        seen.append(place.run("check", check=False).stdout)
        with place.worker("--burst") as worker:
            place.wait_for(run, 25)
            processes = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
            seen += [" ".join(command_line(process)) for process in processes]
            loop.run(first.die(), 10, "end a proxy")
            eventually(lambda: bool(place.events("Proxy Rests")), 60, "the end of the first proxy")
            shown = place.run("status").stdout
            assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert first.passed
    assert second.passed
    assert {event["proxy"] for event in place.events("Proxy Rests")} == {"SEOUL_A"}
    assert {event["proxy"] for event in place.events("Context Rotation")} == {"SEOUL_A", "SEOUL_B"}
    assert "SEOUL_A" in shown
    results = place.run("results", "--run", run, "--format", "jsonl").stdout
    everything = "\n".join([*seen, shown, results, Path(place.log).read_text()])
    assert PASSWORD not in everything
    assert not [port for port in (first.port, second.port) if f"127.0.0.1:{port}" in everything]
