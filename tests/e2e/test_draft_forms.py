"""`pagemill draft` over the nine practice forms: the file that it writes judges products that it has not seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.drafting_forms import FORMS, Form, Tally, form_of, judge_all, without_pace
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]

REFUSING = "hwahae"
READABLE = tuple(name for name in FORMS if name != REFUSING)
"""Eight of the nine forms."""
UNSEEN = {
    "musinsa": ("members-only",),
    "zigzag": ("first-purchase", "items-sold-out", "no-items"),
    "oliveyoung": ("desktop-sold-out",),
}
"""Variants whose form no page that is named has: a badge that turns a price, a flag that is on nowhere else. Nobody
could know from these pages how they are read; whoever has such products names one of them."""
_PAGE_HITS = {
    "demo-hydrated": "/hydrated/p",
    "demo-jsonld": "/jsonld/p",
    "demo-api": "/api/p",
}


@pytest.fixture(scope="module")
def street() -> Iterator[StorefrontProcess]:
    """All nine forms for a test module."""
    with StorefrontProcess(shops=True) as street:
        yield street


def empty_place(folder: Path) -> Workplace:
    """A workplace that knows no platform."""
    place = Workplace(folder)
    (place.config / "platforms" / "demo-hydrated.yaml").unlink()
    return place


def draft(place: Workplace, form: Form, wait_ms: str = "0") -> tuple[bool, str]:
    """Drafts that form by the command; whether a file is there, and what was said."""
    done = place.run("draft", *form.arguments, "--wait-ms", wait_ms, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    file = place.config / "platforms" / f"{form.name}.yaml"
    return file.exists(), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"


def judge_drafted(place: Workplace, forms: list[Form]) -> dict[str, Tally]:
    """What became of further products of the forms that were drafted."""
    drafted = [form for form in forms if (place.config / "platforms" / f"{form.name}.yaml").exists()]
    for form in drafted:
        without_pace(place.config / "platforms" / f"{form.name}.yaml")
    return judge_all(place, drafted) if drafted else {}


@pytest.mark.parametrize("name", READABLE)
def test_drafted_file_is_right_on_further_products(tmp_path: Path, street: StorefrontProcess, name: str) -> None:
    """Name, prices, stock and verdict of every variant that the pages tell, without an edit; none that it does not show
    is said to be there. Each page was visited once: the trial of the file asks for none again."""
    place = empty_place(tmp_path / "work place")
    form = form_of(name, street.base_url, street.port)
    street.reset()
    there, said = draft(place, form)
    assert there, said
    paths = street.hits().paths
    assert paths[_PAGE_HITS.get(name, f"{name} page")] <= len(form.named), paths
    assert "/elsewhere" not in paths
    tally = judge_drafted(place, [form])[name]
    print(tally)
    assert tally.is_right_but_for(UNSEEN.get(name, ())), f"{tally}\n{said}"


def test_shop_that_lets_no_browser_in_is_told_as_such(tmp_path: Path, street: StorefrontProcess) -> None:
    """Nothing can be seen there: no file is written, and the refusal is named."""
    place = empty_place(tmp_path / "work place")
    there, said = draft(place, form_of(REFUSING, street.base_url, street.port))
    assert not there, said
    assert "403" in said
    assert "exit 0" not in said


def test_three_urls_take_less_than_half_a_minute_at_a_real_pace(tmp_path: Path, street: StorefrontProcess) -> None:
    """With 3 to 4 s between two visits."""
    place = empty_place(tmp_path / "work place")
    form = form_of("kurly", street.base_url, street.port)
    started_s = time.monotonic()
    place.run("draft", "kurly", *form.on_sale, check=False)
    took_s = time.monotonic() - started_s
    assert (place.config / "platforms" / "kurly.yaml").exists()
    assert 6 <= took_s < 30


def test_file_reads_on_when_class_names_are_hashed_anew(tmp_path: Path, street: StorefrontProcess) -> None:
    """A new build between drafting and running: no selector hangs on a hash."""
    place = empty_place(tmp_path / "work place")
    forms = [form_of(name, street.base_url, street.port) for name in ("demo-hydrated", "oliveyoung")]
    try:
        street.change_front(Front(build=1))
        said = {form.name: draft(place, form) for form in forms}
        assert all(there for there, _words in said.values()), said
        street.change_front(Front(build=2))
        tallies = judge_drafted(place, forms)
    finally:
        street.change_front(FIRST_FRONT)
    wrong = [str(tally) for name, tally in tallies.items() if not tally.is_right_but_for(UNSEEN.get(name, ()))]
    assert wrong == []
