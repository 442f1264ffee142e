"""`pagemill draft`: from URLs of the practice shops to a file that a worker reads them by."""

from __future__ import annotations

import time

import pytest

from pagemill.config.loading import load_platform_file
from pagemill.demo.catalogue import write_catalogue_csv
from pagemill.demo.shops.addresses import shop_url
from pagemill.demo.shops.catalogue import ShopRow, generate_shop
from pagemill.demo.shops.truth import pinned_id, shop_truth
from pagemill.demo.storefront import StorefrontProcess
from pagemill.demo.truth import truth_of
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def kurly(port: int, serial: int, variant: str) -> str:
    """A product's page."""
    return f"{shop_url('kurly', port)}/goods/{pinned_id('kurly', serial, variant)}"


@pytest.mark.redis
def test_a_drafted_file_is_right_of_other_products(place: Workplace) -> None:
    """Of every variant of its shop, by a worker that knows nothing but the file; an older file is kept aside."""
    older = place.config / "platforms" / "kurly.yaml"
    older.write_text("platform: kurly\nhosts: [www.kurly.com]\nextract: {fields: {name: h1}}\n")
    with StorefrontProcess(shops=True) as server:
        urls = [kurly(server.port, 900 + at, each) for at, each in enumerate(("on-sale", "no-discount", "on-sale"))]
        others = [
            "--sold-out",
            kurly(server.port, 904, "sold-out"),
            "--off-sale",
            kurly(server.port, 905, "unclear-stock"),
        ]
        arguments = ["draft", "kurly", *urls, *others, "--wait-ms", "0"]
        for at, gone in enumerate(("gone", "gone-no-name", "gone-no-state")):
            arguments += ["--gone", kurly(server.port, 910 + at, gone)]
        refused = place.run(*arguments, check=False)
        assert refused.returncode == 2 and server.hits().total == 0
        drafted = place.run(*arguments, "--force")
        rows = list(generate_shop("kurly", shop_url("kurly", server.port), 30))
        place.settings()
        write_catalogue_csv(place.folder / "kurly.csv", rows, ("id", "url", "name", "list_price", "price", "status"))
        queued = place.run("enqueue", str(place.folder / "kurly.csv"), "--platform", "kurly")
        place.run("worker", "--burst", "--platform", "kurly")
    assert older.with_name("kurly.yaml.before").read_text().startswith("platform: kurly\nhosts: [www")
    truth = shop_truth("kurly", pinned_id("kurly", 900, "on-sale"))
    for word in (str(truth.price), truth.name, "sold_out: ", "off_sale: ", "gone: ", "1 state", "likely"):
        assert word in drafted.stdout, drafted.stdout
    assert "(wrong)" not in drafted.stdout
    right: dict[str, ShopRow] = {row.product.id: row for row in rows}
    results = place.results(queued.stdout.split()[1].rstrip(":,"))
    wrong = {}
    for result in results:
        row = right[result.product_id]
        said = {
            name: result.facts.get(name)
            for name in ("name", "list_price", "price", "status")
            if name in row.right_facts
        }
        if result.verdict is not row.right_verdict or any(row.right_facts[name] != said[name] for name in said):
            wrong[result.url] = (result.verdict.value, said, result.reason)
    assert len(results) == 30 and wrong == {}


def test_what_is_expected_is_the_truth(place: Workplace, shop: StorefrontProcess) -> None:
    """A draft that reads something else is written, but ends with 1; --print writes none."""
    pages = [f"{shop.base_url}/jsonld/p/j-{at:06d}.ok" for at in range(3)]
    price = truth_of("j-000000.ok").price
    right = place.run("draft", "myshop", *pages, "--wait-ms", "0", "--expect", f"price={price}", "--print", check=False)
    assert right.stdout.startswith("# myshop: drafted from 3 pages") and "sureness" not in right.stdout
    assert "sure: " in right.stderr and str(price) in right.stderr
    assert not (place.config / "platforms" / "myshop.yaml").exists()
    wrong = place.run("draft", "myshop", *pages, "--wait-ms", "0", "--expect", f"price={price + 1}", check=False)
    assert wrong.returncode == 1 and "not good enough yet:" in wrong.stdout
    assert load_platform_file(place.config / "platforms" / "myshop.yaml").platform == "myshop"


def test_a_catalogue_tells_what_is_right(place: Workplace, shop: StorefrontProcess) -> None:
    """A few of its rows are the pages, sold-out ones too; at a shop's own pace three pages take less than 30 s."""
    from pagemill.demo.catalogue import generate

    rows = [
        row for row in generate("demo-hydrated", shop.base_url, 60) if row.right_verdict.value in ("ok", "sold_out")
    ]
    write_catalogue_csv(place.folder / "rows.csv", rows, ("id", "url", "name", "price", "in_stock"))
    began_s = time.monotonic()
    drafted = place.run("draft", "myshop", "--from", "rows.csv", "--rows", "3", check=False)
    assert time.monotonic() - began_s < 30
    assert drafted.returncode == 0, drafted.stdout
    assert "sold_out: " in drafted.stdout and "sure: " in drafted.stdout
    assert load_platform_file(place.config / "platforms" / "myshop.yaml").hosts == ("127.0.0.1",)


def test_a_shop_that_refuses_is_told(place: Workplace) -> None:
    """With what to try; nothing is written."""
    with StorefrontProcess(shops=True) as server:
        refused = place.run("draft", "hwahae", f"{shop_url('hwahae', server.port)}/goods/1", check=False)
    assert refused.returncode == 1
    assert "HTTP 403" in refused.stderr and "--device" in refused.stderr and "API" in refused.stderr
    assert not (place.config / "platforms" / "hwahae.yaml").exists()
