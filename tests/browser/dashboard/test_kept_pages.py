"""A failed page's HTML and picture, opened in a real Chromium by their addresses: nothing of them runs or leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio

from pagemill.control_room.frame.roles import Role
from pagemill.extraction.artifact_files import HTML, PICTURE, ArtifactKind, file_name
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

RUN, PRODUCT = "run-1", "P1"
PATH = f"/api/v1/runs/{RUN}/artifacts"
QUIET_S = 1.5
"""A refresh after 0 s, a form that sends itself, and a script have all happened by then; see the test of this one."""


class Outside:
    """A stranger's server, which notes who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


def hostile(url: str) -> dict[str, str]:
    """Pages that each try one way out."""
    return {
        "script": f"<script>document.title='ran';fetch('{url}/script');parent.postMessage(1,'*')</script>",
        "handler": f"<img src=x onerror=\"new Image().src='{url}/handler'\"><svg onload=\"location='{url}/svg'\">",
        "refresh": f"<meta http-equiv=refresh content='0;url={url}/refresh'>",
        "form": f"<body onload=f.submit()><form id=f method=post action='{url}/form'><input name=a></form>",
        "frame": f"<iframe src='{url}/frame'></iframe><object data='{url}/object'></object><embed src='{url}/embed'>",
        "srcdoc": f"<iframe srcdoc=\"<script>parent.location='{url}/srcdoc'</script>\"></iframe>",
        "files": f"<link rel=stylesheet href='{url}/css'><img src='{url}/image'><script src='{url}/js'></script>",
        "ahead": f"<link rel=prefetch href='{url}/prefetch'><link rel=preconnect href='{url}'>",
        "worker": "<script>navigator.serviceWorker.register(location.href)</script>",
        "base": f"<base href='{url}/base/'><a href=x autofocus ping='{url}/ping'>x</a>",
    }


def keep(api: ApiServer, kind: ArtifactKind, content: bytes) -> None:
    api.artifacts.mkdir(exist_ok=True)
    (api.artifacts / f"{file_name((RUN, PRODUCT))}{kind.suffix}").write_bytes(content)


@pytest_asyncio.fixture(loop_scope="session")
async def known(api: ApiServer, looker: Looker) -> Looker:
    """An admin's browser: whatever ran there could do everything."""
    await looker.page.context.add_cookies(
        [{"name": "pagemill_token", "value": api.token(Role.ADMIN), "url": api.url, "httpOnly": True}]
    )
    return looker


def address(api: ApiServer, kind: str) -> str:
    return f"{api.url}{PATH}/{kind}?product={PRODUCT}"


@pytest.mark.parametrize("way", hostile(""))
async def test_nothing_of_a_kept_page_runs_or_leaves(api: ApiServer, known: Looker, outside: Outside, way: str) -> None:
    """Opened by its address it is a text: it asks nobody, goes nowhere, and leaves nothing behind."""
    page = known.page
    keep(api, HTML, b"<!doctype html>" + hostile(outside.url)[way].encode())
    answer = await page.goto(address(api, "html"))
    assert answer is not None
    assert answer.status == 200
    await asyncio.sleep(QUIET_S)
    assert outside.asked == []
    assert page.url == address(api, "html")
    assert await page.title() == ""
    assert (await page.inner_text("body")).startswith("<!doctype html>")
    assert len(page.frames) == 1
    await page.goto(f"{api.url}/runs")
    assert await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


async def test_the_ways_out_are_ways(known: Looker, outside: Outside, tmp_path: Path) -> None:
    """Served as a page of its own, each of them is noticed: the other tests can fail."""
    for way, content in hostile(outside.url).items():
        if way in ("worker", "base", "ahead"):
            continue  # they need a secure place, a click, or an idle moment
        outside.asked.clear()
        (tmp_path / "page.html").write_text(content)
        await known.page.goto((tmp_path / "page.html").as_uri(), wait_until="commit")
        for _ in range(100):
            if outside.asked:
                break
            await asyncio.sleep(0.05)
        assert outside.asked, way


@pytest.mark.parametrize("kind", ["html", "picture"])
async def test_no_page_of_ours_can_be_led_to_run_it(api: ApiServer, known: Looker, outside: Outside, kind: str) -> None:
    """Neither as a script, nor as a style, nor as a worker, nor in a frame, whatever its content begins with."""
    page = known.page
    keep(api, HTML, f"/*<!--*/fetch('{outside.url}/ran');document.title='ran'".encode())
    keep(api, PICTURE, b"\xff\xd8\xff/*" + b"x" * 2000 + f"*/=1;fetch('{outside.url}/ran')".encode("latin-1"))
    await page.goto(f"{api.url}/docs")
    place = address(api, kind)
    tried = await page.evaluate(
        """async (place) => {
            const ended = (element) => new Promise((settle) => {
                element.onload = () => settle("load");
                element.onerror = () => settle("error");
                document.body.append(element);
            });
            const make = (name, given) => ended(Object.assign(document.createElement(name), given));
            const script = await make("script", { src: place, charset: "latin1" });
            const style = await make("link", { rel: "stylesheet", href: place });
            const worker = await navigator.serviceWorker.register(place).then(() => "load", () => "error");
            const frame = document.createElement("iframe");
            frame.src = place;
            await ended(frame);
            let inside = "closed";
            try { inside = frame.contentDocument === null ? "closed" : frame.contentDocument.contentType } catch {}
            return { script, style, worker, inside };
        }""",
        place,
    )
    assert tried["script"] == tried["style"] == tried["worker"] == "error"
    assert tried["inside"] == "closed"
    assert outside.asked == []
    assert await page.title() != "ran"


async def test_a_picture_that_is_none_is_not_shown(api: ApiServer, known: Looker, outside: Outside) -> None:
    """An SVG or a page under a picture's name does not reach the browser at all."""
    for content in (
        f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"fetch('{outside.url}/x')\"/>",
        "<script>1</script>",
    ):
        keep(api, PICTURE, content.encode())
        answer = await known.page.goto(address(api, "picture"))
        assert answer is not None
        assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert outside.asked == []
