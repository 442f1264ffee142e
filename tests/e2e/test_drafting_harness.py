"""The measure of drafted files is itself measured: hand-written files pass it whole, and a broken one does not."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import yaml

from pagemill.demo.shops.local import write_local_config
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.drafting_forms import FORMS, form_of, judge_all
from tests.e2e.workplace import REPOSITORY, Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]


def take_hand_written(place: Workplace, server: StorefrontProcess) -> None:
    """All nine shipped platform files, pointed at that storefront. The practice shop's say `in_stock` and no status."""
    settings = (place.config / "pagemill.yaml").read_text()
    write_local_config(REPOSITORY / "config", place.config, server.port)
    (place.config / "pagemill.yaml").write_text(settings)
    for file in (REPOSITORY / "config" / "platforms").glob("demo-*.yaml"):
        shutil.copy(file, place.config / "platforms" / file.name)


def test_hand_written_files_pass_the_measure(place: Workplace) -> None:
    """Every product of all nine forms, every variant among them."""
    with StorefrontProcess(shops=True) as server:
        take_hand_written(place, server)
        forms = [form_of(name, server.base_url, server.port) for name in FORMS]
        tallies = judge_all(place, forms)
    assert [str(tally) for tally in tallies.values() if not tally.is_faultless] == []
    assert all(tally.products >= 20 and tally.shown >= 8 for tally in tallies.values())


BROKEN = (
    ("price", "props.pageProps.product.basePrice", "price is"),
    ("status", "props.pageProps.product.nothing", "status is None"),
    ("name", "props.pageProps.initialState.shelf[0].name", "name is"),
)


def test_broken_files_do_not_pass(place: Workplace) -> None:
    """A price of another kind, a stock that is not read, another product's name: each is told, of a file each."""
    with StorefrontProcess(shops=True) as server:
        take_hand_written(place, server)
        file = place.config / "platforms" / "kurly.yaml"
        form = form_of("kurly", server.base_url, server.port)
        for field, path, _ in BROKEN:
            data = yaml.safe_load(file.read_text())
            data["platform"] = f"kurly-{field}"
            data["extract"]["sources"][0]["fields"][field] = path
            file.with_name(f"kurly-{field}.yaml").write_text(yaml.safe_dump(data))
        tallies = judge_all(place, [replace(form, name=f"kurly-{field}") for field, _, _ in BROKEN])
    for field, _, says in BROKEN:
        tally = tallies[f"kurly-{field}"]
        assert not tally.is_right
        assert any(says in line for line in tally.wrong_facts), str(tally)
