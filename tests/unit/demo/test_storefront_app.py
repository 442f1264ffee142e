"""What the practice shop answers, asked without a browser and without a server."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from starlette.types import ASGIApp

from pagemill.demo import wire_faults
from pagemill.demo.faults import FAULTS
from pagemill.demo.pages import BLOCKED_TEXT, FACTS_START, GONE_TEXT
from pagemill.demo.storefront import create_storefront
from pagemill.demo.truth import ProductState, truth_of
from tests.unit.demo.asgi_client import Answer, ask

ID = "u-1.ok"


@pytest.fixture(scope="module")
def running_app() -> ASGIApp:
    return create_storefront()


@pytest.fixture
async def app(running_app: ASGIApp) -> ASGIApp:
    await ask(running_app, "/_reset", method="POST")
    return running_app


@pytest.mark.parametrize(
    ("state", "status", "text"),
    [
        (ProductState.GONE_404, 404, ""),
        (ProductState.GONE_410, 410, ""),
        (ProductState.GONE_TEXT, 200, GONE_TEXT),
        (ProductState.BLOCKED_403, 403, ""),
        (ProductState.BLOCKED_429, 429, ""),
        (ProductState.BLOCKED_TEXT, 200, BLOCKED_TEXT),
    ],
)
@pytest.mark.parametrize("path", ["hydrated", "jsonld", "api"])
async def test_refusing_states_answer_by_status_or_by_text(
    app: ASGIApp, path: str, state: ProductState, status: int, text: str
) -> None:
    """Gone and blocked, on every platform; only the answers that mean it carry the words."""
    answer = await ask(app, f"/{path}/p/u-1.{state}")
    assert answer.status == status
    assert [words in answer.text for words in (GONE_TEXT, BLOCKED_TEXT)] == [text == GONE_TEXT, text == BLOCKED_TEXT]


async def test_blocked_for_a_while_says_for_how_long(app: ASGIApp) -> None:
    """A 429 has a short `Retry-After`, so that a run over many products is not stopped for minutes."""
    assert (await ask(app, "/hydrated/p/u-1.blocked-429")).headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["hydrated", "jsonld", "api"])
async def test_ordinary_pages_never_carry_the_words_of_a_refusal(app: ASGIApp, path: str) -> None:
    """A judge that looks for texts must not find them in the filler."""
    for weight in ("light", "normal", "heavy"):
        page = (await ask(app, f"/{path}/p/{ID}?weight={weight}")).text
        assert GONE_TEXT not in page
        assert BLOCKED_TEXT not in page


async def test_normal_page_has_the_measured_shape(app: ASGIApp) -> None:
    """60 KB of HTML, 100 KB of script, 30 KB of CSS and ten photos of 20 KB, each within a tenth."""
    page = await ask(app, f"/hydrated/p/{ID}")
    assert len(page.body) == pytest.approx(60_000, rel=0.1)
    assert len((await ask(app, "/static/shop.js")).body) == pytest.approx(100_000, rel=0.1)
    assert len((await ask(app, "/static/shop.css")).body) == pytest.approx(30_000, rel=0.1)
    photos = re.findall(r'src="(/img/[^"]+)"', page.text)
    assert len(set(photos)) == 10
    for photo in photos:
        assert len((await ask(app, photo)).body) == pytest.approx(20_000, rel=0.1)


async def test_weights_differ(app: ASGIApp) -> None:
    """Light is small and needs nothing else, heavy is several times the normal page."""
    light, normal, heavy = [
        (await ask(app, f"/hydrated/p/{ID}?weight={weight}")).body for weight in ("light", "normal", "heavy")
    ]
    assert len(light) < 6_000
    assert b"/static/" not in light
    assert len(heavy) > 3 * len(normal)


async def test_static_files_may_be_cached_and_pages_may_not(app: ASGIApp) -> None:
    """Photos and scripts are for ever; a product is for now."""
    assert "immutable" in (await ask(app, "/static/shop.css")).headers["cache-control"]
    assert "immutable" in (await ask(app, "/img/u-1/3.png")).headers["cache-control"]
    assert (await ask(app, f"/hydrated/p/{ID}")).headers["cache-control"] == "no-store"


async def test_hydrated_price_is_not_in_the_document(app: ASGIApp) -> None:
    """Price and stock come by a later fetch, so a reader that does not wait gets half of the facts."""
    truth = truth_of(ID)
    page = (await ask(app, f"/hydrated/p/{ID}")).text
    assert '<p class="price"></p><p class="stock"></p>' in page
    data = (await ask(app, f"/hydrated/api/{ID}")).json
    assert data == {"price": truth.price, "stock": "in"}


async def test_product_data_has_the_documented_shape(app: ASGIApp) -> None:
    """What `api_capture` captures."""
    truth = truth_of(ID)
    data = (await ask(app, f"/api/v1/products/{ID}")).json
    expected = {"name": truth.name, "price": truth.price, "in_stock": True, "image": truth.image}
    assert data == {"data": expected}


async def test_jsonld_comes_in_several_forms(app: ASGIApp) -> None:
    """Alone, in a graph, in the second script; prices as numbers and as text; always one product with its facts."""
    forms = set()
    for number in range(40):
        truth = truth_of(f"j-{number}.{'sold-out' if number % 2 else 'ok'}")
        page = (await ask(app, f"/jsonld/p/{truth.product_id}?weight=light")).text
        documents = [json.loads(text) for text in re.findall(r'ld\+json">(.*?)</script>', page)]
        nodes = [node for document in documents for node in document.get("@graph", [document])]
        (product,) = [node for node in nodes if node["@type"] == "Product"]
        offers = product["offers"]
        assert (product["name"], int(offers["price"]), offers["priceCurrency"]) == (truth.name, truth.price, "KRW")
        assert offers["availability"] == f"https://schema.org/{'InStock' if truth.in_stock else 'OutOfStock'}"
        forms.add((len(documents), "@graph" in documents[0], type(offers["price"])))
    assert forms == {(n, graph, kind) for n, graph in ((1, False), (1, True), (2, False)) for kind in (int, str)}


async def test_markup_in_an_id_stays_text(app: ASGIApp) -> None:
    """An id is shown escaped wherever it stands."""
    for path in ("hydrated", "jsonld", "api"):
        page = (await ask(app, f"/{path}/p/%3C%2Fscript%3E%3Cimg%20src=x%22%3E.ok?weight=light")).text
        assert "</script><img" not in page


@pytest.mark.parametrize("kind", ["hang", "slow", "half", "flaky", "huge", *FAULTS])
async def test_every_fault_is_answered(app: ASGIApp, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault breaks the shop itself."""
    monkeypatch.setattr(wire_faults, "SLOW_PIECES", 1)
    answer = await fault_at(app, kind, "seconds=0&mb=1")
    assert answer.status in (0, 200, 302, 429, 500, 503)


async def fault_at(app: ASGIApp, kind: str, more: str = "", path: str = "hydrated") -> Answer:
    return await ask(app, f"/{path}/p/{ID}?fault={kind}&{more}")


@pytest.mark.parametrize(("kind", "status"), [("status-500", 500), ("status-503", 503), ("retry-after", 429)])
async def test_statuses(app: ASGIApp, kind: str, status: int) -> None:
    """The status that the name says."""
    assert (await fault_at(app, kind)).status == status


async def test_retry_after_says_the_seconds_asked_for(app: ASGIApp) -> None:
    """The header is the amount."""
    assert (await fault_at(app, "retry-after", "seconds=7")).headers["retry-after"] == "7"


async def test_hang_ends_when_the_client_leaves(app: ASGIApp) -> None:
    """Not a header is sent, and the answer is not kept once nobody waits for it."""
    leave = asyncio.Event()
    asked = asyncio.create_task(ask(app, f"/hydrated/p/{ID}?fault=hang", leave=leave))
    await asyncio.sleep(0)
    assert not asked.done()
    leave.set()
    assert (await asked).status == 0


async def test_slow_sends_the_right_page_in_the_end(app: ASGIApp) -> None:
    """All of it, however slowly."""
    slow = await fault_at(app, "slow", "seconds=0")
    assert slow.complete
    assert slow.body == (await ask(app, f"/hydrated/p/{ID}")).body


@pytest.mark.parametrize("weight", ["light", "normal"])
@pytest.mark.parametrize("path", ["hydrated", "jsonld", "api"])
async def test_half_stops_before_the_facts(app: ASGIApp, path: str, weight: str) -> None:
    """Less than was promised, and nothing of the product."""
    half = await fault_at(app, "half", f"weight={weight}", path)
    assert not half.complete
    assert 0 < len(half.body) < int(half.headers["content-length"])
    assert FACTS_START not in half.body


async def test_broken_bodies(app: ASGIApp) -> None:
    """Empty is empty, garbage says it is a picture, a download is an attachment."""
    assert (await fault_at(app, "empty")).body == b""
    assert (await fault_at(app, "garbage")).headers["content-type"] == "image/png"
    assert (await fault_at(app, "download")).headers["content-disposition"].startswith("attachment")


async def test_redirects(app: ASGIApp) -> None:
    """To itself, and to the same server under its other name."""
    loop = await fault_at(app, "redirect-loop", "x=1")
    assert loop.headers["location"] == f"/hydrated/p/{ID}?fault=redirect-loop&x=1"
    url = f"/hydrated/p/{ID}?fault=redirect-elsewhere"
    assert (await ask(app, url)).headers["location"] == "http://localhost:8900/elsewhere"
    assert (await ask(app, url, host="localhost:8900")).headers["location"] == "http://127.0.0.1:8900/elsewhere"


async def test_huge_is_as_large_as_asked(app: ASGIApp) -> None:
    """The whole of it, when the client takes it."""
    huge = await ask(app, f"/hydrated/p/{ID}?fault=huge&mb=3", leave=asyncio.Event())
    assert len(huge.body) >= 3_000_000
    assert huge.complete


async def test_flaky_fails_first_and_is_right_then(app: ASGIApp) -> None:
    """Each product counts for itself."""
    url = f"/hydrated/p/{ID}?fault=flaky&visits=2"
    assert [(await ask(app, url)).status for _ in range(4)] == [500, 500, 200, 200]
    assert (await ask(app, url.replace(ID, "u-2.ok"))).status == 500


@pytest.mark.parametrize("kind", [kind for kind, fault in FAULTS.items() if fault.right_verdict == "failed"])
async def test_pages_that_must_fail_never_show_the_facts(app: ASGIApp, kind: str) -> None:
    """So that no reader, however quick, comes to another verdict."""
    for path in ("hydrated", "jsonld", "api"):
        answer = await fault_at(app, kind, "mb=1", path)
        if kind != "download":
            assert "shop.start(" not in answer.text
            assert "ld+json" not in answer.text


@pytest.mark.parametrize("query", ["fault=earthquake", "weight=feather"])
async def test_unknown_words_are_a_bad_request(app: ASGIApp, query: str) -> None:
    """A typing error must not look like a healthy page."""
    assert (await ask(app, f"/hydrated/p/{ID}?{query}")).status == 400


async def test_amounts_have_a_limit_and_nonsense_is_the_default(app: ASGIApp) -> None:
    """Nobody can make the shop work for ever."""
    assert (await fault_at(app, "retry-after", "seconds=999999")).headers["retry-after"] == "3600"
    assert (await fault_at(app, "retry-after", "seconds=-1")).headers["retry-after"] == "1"


async def test_hits_are_counted_by_place_fault_and_product(app: ASGIApp) -> None:
    """Tests can state what was visited; asking for the counts does not change them."""
    for url in (f"/hydrated/p/{ID}", f"/hydrated/p/{ID}?fault=dialog", "/elsewhere", "/static/shop.js", "/nowhere"):
        await ask(app, url)
    hits = (await ask(app, f"/_hits?product={ID}")).json
    assert hits["paths"] == {"/hydrated/p": 2, "/elsewhere": 1, "/static": 1, "other": 1}
    assert hits == {"total": 5, "paths": hits["paths"], "faults": {"dialog": 1}, "products": 1, "visits": 2}


async def test_health_and_unknown_paths(app: ASGIApp) -> None:
    """The shop is well, does not have everything, and cannot be changed."""
    assert (await ask(app, "/healthz")).status == 200
    for path in ("/", "/static/nothing.js", "/img/x/y.png", "/hydrated/p/", f"/hydrated/p/{'x' * 201}"):
        assert (await ask(app, path)).status == 404, path
    assert (await ask(app, f"/hydrated/p/{ID}", method="DELETE")).status == 405
    assert (await ask(app, "/_reset")).status == 404
