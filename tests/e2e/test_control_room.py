"""The control room in front of two real workers in the middle of a run, by the commands and the page of users."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from pagemill.browser.machine import find_chromium
from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace, assert_each_right_once, assert_none_visited_twice, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

PRODUCTS = 240
KNOWN = ("401 (Unauthorized)", "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
"""What Chromium complains about where a page asks who it is, and where the API restarts itself."""


class Room:
    """A running `pagemill api`."""

    def __init__(self, url: str, token: str, pid: int) -> None:
        self.url = url
        self.token = token
        self.pid = pid

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the API answers an admin."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def send(self, path: str, content: bytes, kind: str) -> Any:
        """The data of the answer to a body that is no JSON."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, content, headers, method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())["data"]

    def lines(self, path: str) -> Iterator[bytes]:
        """An answer line by line."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            yield from answer

    def refusal(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str]]:
        """The status and the error of an answer that must be one."""
        try:
            self.ask(method, path, body)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())["error"]
        raise AssertionError(f"{method} {path} was not refused")

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.ask("GET", "/health")["services"]["redis"] == "ok")
        except (urllib.error.URLError, ConnectionError):
            return False

    def processes(self) -> dict[str, dict[str, Any]]:
        """Those beside the workers that are alive, by role."""
        data = self.ask("GET", "/api/performance/dashboard?history=false")["data"]
        return {process["role"]: process for process in data["processes"] if process["alive"]}

    def workers(self) -> list[str]:
        """The names of the workers that are alive."""
        data = self.ask("GET", "/api/performance/dashboard?history=false")["data"]
        return sorted(worker["name"] for worker in data["workers"] if worker["alive"])


@contextmanager
def control_room(place: Workplace, port: int) -> Iterator[Room]:
    """`pagemill api`, with a secret."""
    place.environment_changes["PAGEMILL_API_SECRET"] = secrets.token_hex(32)
    token = place.run("token", "--role", "admin").stdout.strip()
    command = [sys.executable, "-m", "pagemill", "api", "--port", str(port)]
    with (place.folder / "api.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=log, stderr=log)
    room = Room(f"http://127.0.0.1:{port}", token, process.pid)
    try:
        eventually(room.is_up, 60, "the API", (place.folder / "api.log").read_text)
        yield room
        process.terminate()
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def scheduling(place: Workplace) -> Iterator[subprocess.Popen[bytes]]:
    """`pagemill scheduler`, with nothing to do."""
    command = [sys.executable, "-m", "pagemill", "scheduler"]
    with place.log.open("ab") as log:
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=log, stderr=log)
    try:
        yield process
        process.terminate()
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def port() -> int:
    """A free one."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def changes(page: Page, locator: str, what: Callable[[str], object]) -> None:
    """Waits until the text there has changed, and says something."""
    before = await page.locator(locator).inner_text()
    await page.wait_for_function(
        "([where, before]) => document.querySelector(where).innerText !== before", arg=[locator, before], timeout=30_000
    )
    assert what(await page.locator(locator).inner_text())


async def look(room: Room, complaints: list[str]) -> list[str]:
    """An admin's way through the page; the workers that there were before they were restarted."""
    async with async_playwright() as playwright:
        executable = find_chromium(Path(found) if (found := os.environ.get("PAGEMILL_CHROMIUM")) else None)
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        expect.set_options(timeout=30_000)
        await page.goto(f"{room.url}/performance/dashboard")
        await page.get_by_label("Token").fill(room.token)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#connection-text")).to_have_text("Live")
        await expect(page.locator("#workers-rows tr")).to_have_count(2)
        await changes(page, "#memory-caption", lambda text: "MB" in text)
        await changes(page, "#tiles", lambda text: "products/s" in text)
        before = await asyncio.to_thread(room.workers)
        await page.get_by_role("button", name="Clean up memory").click()
        await page.locator("#ask-yes").click()
        await expect(page.locator("#said")).to_contain_text("2 workers")
        await page.get_by_role("button", name="Restart all").click()
        await page.locator("#ask-yes").click()
        await expect(page.locator("#restart-note")).not_to_be_empty()
        await expect(page.locator("#processes-rows tr")).to_have_count(3)
        # The API comes last: the page loses it, and finds it again by itself.
        await expect(page.locator("#said")).to_contain_text("The fleet has been restarted", timeout=150_000)
        await expect(page.locator("#connection-text")).to_have_text("Live")
        await browser.close()
        return before


def test_an_operator_watches_and_restarts_a_running_fleet(place: Workplace, shop: StorefrontProcess, port: int) -> None:
    """Charts move; each worker is replaced, one by one, then scheduler and API; the supervisor stays. No product is
    lost, doubled or visited twice."""
    place.platform("demo-hydrated", workflow={"rate_limit": {"wait_time_ms": 1000}})
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    with place.redis(), place.worker("--processes", "2") as supervisor, scheduling(place) as scheduler:
        run = place.enqueue("demo-hydrated", rows, batch_size=20)
        with control_room(place, port) as room:
            eventually(lambda: len(room.workers()) == 2, 60, "two workers")
            eventually(lambda: len(room.processes()) == 3, 60, "scheduler, API and supervisor")
            beside = room.processes()
            complaints: list[str] = []
            before = asyncio.run(look(room, complaints))
            assert [each for each in complaints if not any(known in each for known in KNOWN)] == []
            told = room.ask("GET", "/api/v2/system/restart-all")["data"]
            assert told["state"] == "done", told
            assert [step["worker"] for step in told["workers"]] == before
            assert not set(before) & set(room.workers())
            assert [(step["role"], step["state"]) for step in told["processes"]] == [
                ("scheduler", "done"),
                ("api", "done"),
            ]
            after = room.processes()
            assert {role: process["pid"] for role, process in after.items()} == {
                role: process["pid"] for role, process in beside.items()
            }
            assert {role for role in after if after[role]["name"] != beside[role]["name"]} == {"scheduler", "api"}
            assert after["supervisor"]["pid"] == supervisor.pid
            assert after["scheduler"]["pid"] == scheduler.pid
            assert {line.get("role") for line in place.events("Memory")} >= {"supervisor", "scheduler"}
            place.wait_for(run, PRODUCTS, 120)
            report = room.ask("GET", f"/api/performance/report?run={run}")["data"]
            assert report["results"]["products"] == PRODUCTS
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    assert_none_visited_twice(shop, place.results(run))
    page = place.run("report", "--run", run, "--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    place.assert_nothing_left()
