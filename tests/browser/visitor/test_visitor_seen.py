"""What a platform says of its visitor is what the shop sees, with Playwright's driver and without it alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pagemill.config.visitor.secrets import Credentials, VisitorSecrets
from pagemill.config.visitor.storage_state import read_storage_state
from tests.browser.pool.real_pool import RealPool, local_platform, real_pool
from tests.browser.visitor.seeing_shop import PASSWORD, SEEN, USER, SeeingShop

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Chrome/150.0.1.2 Safari/537.36 Edg/150.0.3.4"


@pytest.fixture(scope="module", params=["cdp", "playwright"])
def opener_kind(request: pytest.FixtureRequest) -> str:
    """Who opens pages: both must show the same visitor."""
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPool]:
    """One pool for all visitors."""
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("visitors")
        patch.setenv("TMPDIR", str(temporary))
        secrets = VisitorSecrets(credentials={"SHOP": Credentials(USER, PASSWORD)}, storage={})
        async with real_pool(executable, temporary, kind=opener_kind, secrets=secrets) as real:
            yield real


@pytest_asyncio.fixture(loop_scope="module")
async def shop() -> AsyncIterator[SeeingShop]:
    """A shop that sees."""
    async with SeeingShop.open() as shop:
        yield shop


@dataclass(frozen=True)
class Case:
    """A visitor; what a page sees of it, and which headers a document, a script and a fetch come with."""

    visitor: dict[str, Any]
    page: dict[str, Any] = field(default_factory=dict)
    document: dict[str, str | None] = field(default_factory=dict)
    own: dict[str, str | None] = field(default_factory=dict)
    """Of the page's own requests to the platform's hosts."""
    other: dict[str, str | None] = field(default_factory=dict)
    """Of requests to other hosts."""
    navigation: dict[str, Any] = field(default_factory=dict)


CASES = {
    "nobody in particular": Case(
        {}, {"width": 320, "height": 240, "scale": 1, "touch": False, "cookies": "", "stored": {}}
    ),
    "a window": Case({"viewport": {"width": 430, "height": 932}}, {"width": 430, "height": 932, "scale": 1}),
    "an iPhone": Case(
        {"device": "iPhone 15"},
        {
            "width": 393,
            "height": 659,
            "screen": [393, 852],
            "scale": 3,
            "touch": True,
            "finger": True,
            "orientation": "portrait-primary",
            "platform": "iPhone",
            "hints": {"mobile": False, "platform": "", "version": "", "model": "", "brands": []},
        },
        {"sec-ch-ua": None, "sec-ch-ua-mobile": None, "sec-ch-ua-platform": None},
    ),
    "an Android phone": Case(
        {"device": "Pixel 7"},
        {
            "width": 412,
            "scale": 2.625,
            "touch": True,
            "platform": "Linux armv81",
            "hints": {
                "mobile": True,
                "platform": "Android",
                "version": "14",
                "model": "Pixel 7",
                "brands": ["Not:A-Brand 8", "Chromium CHROME", "Google Chrome CHROME"],
            },
        },
        {"sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": '"Android"'},
    ),
    "a phone held sideways": Case(
        {"device": "iPhone 15 landscape"}, {"width": 734, "height": 343, "orientation": "landscape-primary"}
    ),
    "a device in another window": Case(
        {"device": "Pixel 7", "viewport": {"width": 300, "height": 500}}, {"width": 300, "height": 500, "scale": 2.625}
    ),
    "a user agent": Case(
        {"user_agent": _EDGE},
        {
            "agent": _EDGE,
            "platform": "Win32",
            "touch": False,
            "hints": {
                "mobile": False,
                "platform": "Windows",
                "version": "10.0.0",
                "model": "",
                "brands": ["Not:A-Brand 8", "Chromium 150", "Microsoft Edge 150"],
            },
        },
        {"user-agent": _EDGE, "sec-ch-ua-platform": '"Windows"'},
    ),
    "a place": Case(
        {
            "locale": "ko-KR",
            "time_zone": "Asia/Seoul",
            "geolocation": {"latitude": 37.5, "longitude": 127.0, "accuracy": 10},
        },
        {"languages": ["ko-KR"], "locale": "ko-KR", "zone": "Asia/Seoul", "place": [37.5, 127.0]},
        {"accept-language": "ko-KR"},
        {"accept-language": "ko-KR"},
    ),
    "headers": Case(
        {"headers": {"Referer": "https://search.example/", "X-Shop": "yes"}},
        {},
        {"x-shop": "yes", "referer": "https://search.example/"},
        {"x-shop": "yes", "referer": "PAGE"},
        {"x-shop": None},
    ),
    "a referer alone": Case(
        {"headers": {"Referer": "https://search.example/"}}, {}, {"referer": "https://search.example/"}
    ),
    "cookies": Case(
        {"cookies": {"adult": "1", "__Host-id": "2"}},
        {"cookies": "adult=1; __Host-id=2"},
        {"cookie": "adult=1; __Host-id=2"},
        {"cookie": "adult=1; __Host-id=2"},
        {"cookie": None},
    ),
    "the old names": Case(
        {},
        {"width": 500, "height": 400, "agent": "Mine/1.0", "languages": ["de-DE"]},
        {"user-agent": "Mine/1.0"},
        navigation={"viewport": {"width": 500, "height": 400}, "user_agent": "Mine/1.0", "locale": "de-DE"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_the_shop_sees_the_visitor_that_is_described(shared: RealPool, shop: SeeingShop, case: Case) -> None:
    """What the page sees, and the headers of documents, of the page's own requests, and of those to others."""
    platform = local_platform(visitor=case.visitor, navigation=case.navigation)
    async with shared.pool.lease(platform) as lease:
        await lease.page.goto(shop.at("/item"), wait_until="commit", timeout=5000)
        async with asyncio.timeout(10):
            seen = await lease.page.evaluate(SEEN, "place" in case.page)
    chrome = seen["agent"].partition("Chrome/")[2].partition(".")[0]
    expected = json.loads(json.dumps(case.page).replace("CHROME", chrome))
    assert {name: seen[name] for name in expected} == expected
    paths = {
        "/item": case.document,
        "/script.js": case.own,
        "/api": case.own,
        "/tracker.js": case.other,
        "/other": case.other,
    }
    for path, headers in paths.items():
        wanted = {name: shop.at("/item") if text == "PAGE" else text for name, text in headers.items()}
        assert {name: shop.last(path).headers.get(name) for name in wanted} == wanted, path
    document = shop.last("/item").headers
    assert document["user-agent"] == seen["agent"]
    if "HeadlessChrome" not in seen["agent"]:
        assert "Headless" not in document.get("sec-ch-ua", "")


async def test_a_hidden_phone_keeps_its_scale_after_a_screenshot(shared: RealPool, shop: SeeingShop) -> None:
    """Another window for a picture and back leaves the device as it was."""
    async with shared.pool.lease(local_platform(visitor={"device": "Pixel 7"})) as lease:
        await lease.page.goto(shop.at("/item"), wait_until="commit", timeout=5000)
        before = await lease.page.evaluate(SEEN, False)
        size = lease.page.viewport_size
        assert size is not None
        await lease.page.set_viewport_size({"width": 1280, "height": 800})
        await lease.page.set_viewport_size(size)
        after = await lease.page.evaluate(SEEN, False)
    names = ("width", "height", "scale", "touch", "orientation", "agent", "hints")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


async def test_a_password_is_said_to_the_shop_alone(shared: RealPool, shop: SeeingShop) -> None:
    """The platform's host gets user and password when it asks; the same server under another name gets none."""
    platform = local_platform(visitor={"credentials": "SHOP"})
    shop.page = (
        '<h1>in</h1><script src="http://localhost:PORT/locked"></script><script>document.title = "done"</script>'
    )
    async with shared.pool.lease(platform) as lease:
        await lease.page.goto(shop.at("/locked"), wait_until="commit", timeout=5000)
        seen = await lease.page.evaluate(SEEN, False)
    assert seen["cookies"] == ""
    granted = {(one.host, "authorization" in one.headers) for one in shop.requests if one.path == "/locked"}
    assert granted == {("127.0.0.1", False), ("127.0.0.1", True), ("localhost", False)}


async def test_headers_are_sent_with_requests_whose_answers_are_heard(shared: RealPool, shop: SeeingShop) -> None:
    """Both pause the same request, one before it is sent and one when its answer has come."""
    extract = {"strategy": "api_capture", "match": "**/api", "fields": {"name": "name"}}
    platform = local_platform(visitor={"headers": {"X-Shop": "yes"}}, extract=extract)
    async with shared.pool.lease(platform) as lease:
        await lease.page.goto(shop.at("/item"), wait_until="commit", timeout=5000)
        await lease.page.evaluate(SEEN, False)
        heard = [(answer.status, answer.body) for answer in lease.news.answers]
    assert heard == [(200, b"0")]
    assert shop.last("/api").headers["x-shop"] == "yes"


async def test_a_wrong_password_ends_in_the_shops_refusal(shared: RealPool, shop: SeeingShop) -> None:
    """A password that does not fit is said once, and the page is a 401."""
    shared.launcher._launcher._secrets.credentials["WRONG"] = Credentials("keeper", "mellon")  # type: ignore[index]
    async with shared.pool.lease(local_platform(visitor={"credentials": "WRONG"})) as lease:
        await lease.page.goto(shop.at("/locked"), wait_until="commit", timeout=5000)
        status = await lease.page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
    assert status == 401
    assert len([one for one in shop.requests if one.path == "/locked"]) == 2


@pytest.mark.parametrize("is_embedded", [True, False])
async def test_a_cookie_of_a_part_stays_in_its_part(shared: RealPool, is_embedded: bool, tmp_path: Path) -> None:
    """A cookie that a frame of another site has set there (`Partitioned`) is not there for everybody."""
    part = {"partitionKey": "https://shop.test", "_crHasCrossSiteAncestor": is_embedded}
    cookie = {"name": "chat", "value": "s1", "domain": "chat.test", "path": "/", "expires": -1, "httpOnly": False}
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"cookies": [{**cookie, "secure": True, "sameSite": "None", **part}], "origins": []}))
    shared.launcher._launcher._secrets.storage["local"] = read_storage_state(path)  # type: ignore[index]
    try:
        async with shared.pool.lease(local_platform(visitor={"storage_state": str(path)})) as lease:
            cookies = (await lease._handle().firewall.ask("Network.getAllCookies"))["cookies"]
    finally:
        del shared.launcher._launcher._secrets.storage["local"]  # type: ignore[attr-defined]
    assert [(one["name"], one.get("partitionKey")) for one in cookies] == [
        ("chat", {"topLevelSite": "https://shop.test", "hasCrossSiteAncestor": is_embedded})
    ]


async def test_a_storage_state_is_there_in_each_context(shared: RealPool, shop: SeeingShop, tmp_path: Path) -> None:
    """Cookies and localStorage of a file in Playwright's format, again in the second context; no server is asked."""
    cookie = {"name": "session", "value": "s1", "domain": "127.0.0.1", "path": "/", "expires": -1}
    stored = [{"origin": shop.at("").rstrip("/"), "localStorage": [{"name": "seen", "value": 'a "quoted" one'}]}]
    state = {"cookies": [{**cookie, "httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": stored}
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    shared.launcher._launcher._secrets.storage["local"] = read_storage_state(path)  # type: ignore[index]
    try:
        for _ in range(2):
            shop.requests.clear()
            platform = local_platform(visitor={"storage_state": str(path), "cookies": {"adult": "1"}})
            async with shared.pool.lease(platform) as lease:
                assert shop.requests == []
                await lease.page.goto(shop.at("/item"), wait_until="commit", timeout=5000)
                seen = await lease.page.evaluate(SEEN, False)
                await lease.page.evaluate("() => { localStorage.seen = 'changed'; document.cookie = 'adult=2'; }")
            assert seen["stored"] == {"seen": 'a "quoted" one'}
            assert shop.last("/item").cookies == {"session": "s1", "adult": "1"}
    finally:
        del shared.launcher._launcher._secrets.storage["local"]  # type: ignore[attr-defined]
