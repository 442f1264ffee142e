"""`pagemill draft` over the nine practice forms: the file that it writes judges products that it has not seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.drafting_forms import FORMS, Form, Tally, form_of, judge_all, without_pace
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis, pytest.mark.timeout(300)]

REFUSING = "hwahae"
READABLE = tuple(name for name in FORMS if name != REFUSING)
"""Eight of the nine forms."""
AT_ONCE = 3
"""Drafts that are made beside each other: each waits most of its time until its pages are at rest."""
_PAGE_HITS = {
    "demo-hydrated": "/hydrated/p",
    "demo-jsonld": "/jsonld/p",
    "demo-api": "/api/p",
}


@dataclass(frozen=True, slots=True)
class Drafted:
    """What came of all readable forms: what was said of each, the pages that were asked for, and its products."""

    said: Mapping[str, str]
    visits: Counter[str]
    tallies: Mapping[str, Tally]


@pytest.fixture(scope="module")
def street() -> Iterator[StorefrontProcess]:
    """All nine forms for a test module."""
    with StorefrontProcess(shops=True) as street:
        yield street


@pytest.fixture(scope="module")
def drafted(street: StorefrontProcess, tmp_path_factory: pytest.TempPathFactory) -> Drafted:
    """Every readable form, drafted from one build of the shops and judged by one worker in the next: its class names
    are hashed anew, and no selector hangs on a hash."""
    place = empty_place(tmp_path_factory.mktemp("forms") / "work place")
    forms = [form_of(name, street.base_url, street.port) for name in READABLE]
    try:
        street.change_front(Front(build=1))
        street.reset()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            said = dict(zip(READABLE, pool.map(lambda form: draft(place, form), forms), strict=True))
        visits = Counter(street.hits().paths)
        street.change_front(Front(build=2))
        tallies = judge_drafted(place, forms)
    finally:
        street.change_front(FIRST_FRONT)
    return Drafted(said, visits, tallies)


def empty_place(folder: Path) -> Workplace:
    """A workplace that knows no platform."""
    place = Workplace(folder)
    (place.config / "platforms" / "demo-hydrated.yaml").unlink()
    return place


def draft(place: Workplace, form: Form) -> str:
    """Drafts that form by the command, without a pause between two visits; what was said."""
    done = place.run("draft", *form.arguments, "--wait-ms", "0", check=False)
    return f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"


def judge_drafted(place: Workplace, forms: list[Form]) -> dict[str, Tally]:
    """What became of further products of the forms that were drafted."""
    files = {form.name: place.config / "platforms" / f"{form.name}.yaml" for form in forms}
    there = [form for form in forms if files[form.name].exists()]
    for form in there:
        without_pace(files[form.name])
    return judge_all(place, there) if there else {}


def test_drafted_files_are_right_on_further_products(drafted: Drafted, street: StorefrontProcess) -> None:
    """Name, prices, stock and verdict of every variant, without an edit; none that it does not show is said to be
    there. Each page was visited once: the trial of the file asks for none again."""
    assert "/elsewhere" not in drafted.visits
    wrong = []
    for name in READABLE:
        said = drafted.said[name]
        if not said.startswith("exit 0") or "Traceback" in said:
            wrong.append(said)
            continue
        named = form_of(name, street.base_url, street.port).named
        visits = drafted.visits[_PAGE_HITS.get(name, f"{name} page")]
        if not 0 < visits <= len(named):
            wrong.append(f"{name}: {visits} visits of {len(named)} pages")
        print(drafted.tallies[name])
        if not drafted.tallies[name].is_right:
            wrong.append(f"{drafted.tallies[name]}\n{said}")
    assert wrong == [], "\n".join(wrong)


def test_shop_that_lets_no_browser_in_is_told_as_such(tmp_path: Path, street: StorefrontProcess) -> None:
    """Nothing can be seen there: no file is written, and the refusal is named."""
    place = empty_place(tmp_path / "work place")
    said = draft(place, form_of(REFUSING, street.base_url, street.port))
    assert not (place.config / "platforms" / f"{REFUSING}.yaml").exists(), said
    assert "403" in said and "Traceback" not in said
    assert not said.startswith("exit 0")


def test_three_urls_take_less_than_half_a_minute_at_a_real_pace(tmp_path: Path, street: StorefrontProcess) -> None:
    """With 3 to 4 s between two visits."""
    place = empty_place(tmp_path / "work place")
    form = form_of("kurly", street.base_url, street.port)
    started_s = time.monotonic()
    place.run("draft", "kurly", *form.on_sale, check=False)
    took_s = time.monotonic() - started_s
    assert (place.config / "platforms" / "kurly.yaml").exists()
    assert 6 <= took_s < 30
