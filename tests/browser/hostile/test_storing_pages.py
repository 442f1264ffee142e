"""Pages that store without end: what that takes is bounded, and the products on the other lanes are right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pagemill.browser.firewall import MAX_STORED_BYTES
from pagemill.telemetry import events
from tests.browser.extraction.local_shop import LocalShop, html
from tests.browser.hostile.cup import HEADING, PAGE, platform, product
from tests.browser.hostile.lanes import Lanes, Worked

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_BROWSER_MB = 600
_STORING_MS = 10_000
_NEIGHBOURS = 100
_QUIET_MB = 700
"""What a worker with three lanes may take while a page stores: 250 MB without a driver, 400 MB with one, and that."""
_MOST_MB = 1_700
"""The same, where only the guard's look each second bounds it: its limit, what a page does in a second, and a second
browser for the other lanes."""

_STORES = {
    "a database": """
      const open = indexedDB.open("d");
      open.onupgradeneeded = () => open.result.createObjectStore("s");
      await new Promise((resolve) => { open.onsuccess = resolve; });
      for (let i = 0; ; i++) await new Promise((resolve, reject) => {
        const change = open.result.transaction("s", "readwrite");
        change.objectStore("s").put(noise(), i);
        change.oncomplete = resolve;
        change.onabort = () => reject(change.error);
      })""",
    "a cache": """
      const cache = await caches.open("c");
      for (let i = 0; ; i++) await cache.put("/x" + i, new Response(noise()))""",
    "files": """
      const folder = await navigator.storage.getDirectory();
      for (let i = 0; ; i++) {
        const file = await (await folder.getFileHandle("f" + i, { create: true })).createWritable();
        await file.write(noise());
        await file.close();
      }""",
    "buckets": """
      for (let i = 0; ; i++) {
        const cache = await (await navigator.storageBuckets.open("b" + i)).caches.open("c");
        for (let j = 0; j < 5; j++) await cache.put("/x" + j, new Response(noise()));
      }""",
    "localStorage": "for (let i = 0; ; i++) localStorage.setItem(i, 'x'.repeat(1e5))",
    "cookies": """
      for (let i = 0; ; i++) {
        document.cookie = `c${i}=${"x".repeat(4000)}`;
        if (i % 100 === 99) await rest();
      }""",
}
_HELP = """
  const noise = () => {
    const bytes = new Uint8Array(4e6);
    for (let i = 0; i < 4e6; i += 65536) crypto.getRandomValues(bytes.subarray(i, Math.min(4e6, i + 65536)));
    return bytes;
  };
  const rest = () => new Promise((resolve) => setTimeout(resolve));
"""
_BLOBS = """
  const kept = [];
  for (let i = 0; ; i++) {
    kept[i] = new Blob([new Uint8Array(4e6)]);
    if (i % 5 === 4) await rest();
  }
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["protocol", "playwright"])
async def lanes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lanes]:
    """Lanes whose browser may take less."""
    async with Lanes.open(request.param, tmp_path_factory.mktemp(request.param), _BROWSER_MB) as lanes:
        yield lanes


def storing(script: str) -> str:
    """A page that stores for ten seconds, and tries again when it may not any more, before it shows its product."""
    again = f"(async () => {{ for (;;) {{ try {{ {script} }} catch (error) {{ await rest(); }} }} }})();"
    show = f"setTimeout(() => document.body.insertAdjacentHTML('beforeend', `{HEADING}`), {_STORING_MS})"
    return f"<body><script>{{ {_HELP} {show}; {again} }}</script>"


async def worked_beside(lanes: Lanes, shop: LocalShop, page: str) -> Worked:
    """What becomes of the page `bad`, and that all its neighbours on two other lanes are right."""
    shop.replies |= {"/p/good": html(PAGE), "/p/bad": html(page)}
    rules: dict[str, Any] = platform(shop, "dom", timeout_s=_STORING_MS / 1000 + 5)
    rules["extract"]["ready"] = ".price"
    good = [product(shop, "good") for _ in range(_NEIGHBOURS)]
    worked = await lanes.work((rules, [product(shop, "bad"), good[0]]), (rules, good), (rules, good), measured=True)
    print([(one.verdict, one.reason[:90]) for one in worked.batches[0]], f"{worked.tree_mb:.0f} MB")
    [_, after], *neighbours = worked.batches
    assert [one.reason for one in (after, *neighbours[0], *neighbours[1]) if one.verdict != "ok"] == []
    return worked


async def test_what_an_origin_stores_is_bounded(lanes: Lanes, local_shop: LocalShop) -> None:
    """By a quota of our own: Chromium's would be a share of the machine's memory. The page itself is read."""
    page = "".join(storing(script) for script in _STORES.values())
    worked = await worked_beside(lanes, local_shop, page)
    assert worked.batches[0][0].verdict == "ok"
    assert worked.tree_mb < _QUIET_MB
    assert MAX_STORED_BYTES / 1_000_000 < _QUIET_MB / 10
    assert lanes.events(events.BROWSER_KILLED) == []


async def test_what_has_no_quota_is_bounded_by_the_guard(lanes: Lanes, local_shop: LocalShop) -> None:
    """A browser that takes too much is killed; what it was at work on is visited again, and the page fails at last."""
    worked = await worked_beside(lanes, local_shop, storing(_BLOBS))
    assert worked.batches[0][0].verdict == "failed"
    assert worked.tree_mb < _MOST_MB
    assert {event["reason"] for event in lanes.events(events.BROWSER_KILLED)} == {"size"}
