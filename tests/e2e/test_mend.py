"""`pagemill mend` after the practice shop's redesign: what it prints makes all verdicts right again."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.demo.catalogue import PLATFORM_PATHS
from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.shops.local import write_local_config
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import ItemResult, Verdict
from tests.e2e.drafting_forms import Form, JudgedRow, form_of, tally_of
from tests.e2e.workplace import REPOSITORY, Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]

MENDED = ("demo-hydrated", "kurly", "zigzag")
"""Read from elements, from state, and from GraphQL; each takes most of a minute."""
TAKES_ALL_FOR_GONE = ("kurly", "zigzag")
"""Their files say that state without a product, or an API's 404, is one that is gone."""
_HASTE = {"timeout_ms": 3000, "within_ms": 3000, "wait_time_ms": 0, "max_per_minute": 600, "attempts": 1, "fleet": 4}
"""No patience and no pace, which shops on loopback do not need."""
REDESIGNED = Front(redesigned=True)


@pytest.fixture
def street() -> Iterator[StorefrontProcess]:
    """All nine forms, for one test, as it changes them."""
    with StorefrontProcess(shops=True) as street:
        yield street


def take_hand_written(place: Workplace, street: StorefrontProcess, name: str) -> Path:
    """The shipped file of that form, without patience and pace, so that failures come soon."""
    settings = (place.config / "pagemill.yaml").read_text()
    shutil.rmtree(place.config / "platforms")
    write_local_config(REPOSITORY / "config", place.config, street.port)
    (place.config / "pagemill.yaml").write_text(settings)
    file = place.config / "platforms" / f"{name}.yaml"
    if name in PLATFORM_PATHS:
        shutil.copy(REPOSITORY / "config" / "platforms" / file.name, file)
    text = file.read_text()
    for key, value in _HASTE.items():
        text = re.sub(rf"{key}: [^\s,}}]+", f"{key}: {value}", text)
    file.write_text(text)
    return file


def run(place: Workplace, form: Form, rows: tuple[JudgedRow, ...]) -> list[ItemResult]:
    """The results of one run over these products."""
    file = place.folder / "catalogue.csv"
    form.write_catalogue(file, rows)
    queued = place.run("enqueue", str(file), "--platform", form.name)
    place.run("worker", "--burst")
    return place.results(queued.stdout.split()[1].rstrip(":,"))


def on_sale(form: Form) -> tuple[JudgedRow, ...]:
    """Some products that the shop sells."""
    return tuple(row for row in form.rows if row.facts.get("status") == "on_sale")[:4]


def apply_patch(place: Workplace, patch: str) -> None:
    """As a user does."""
    subprocess.run(
        ["patch", "-p1"], cwd=place.folder, input=patch, text=True, check=True, capture_output=True, timeout=10
    )


@pytest.mark.parametrize("name", MENDED)
def test_patch_makes_all_verdicts_right_again(place: Workplace, street: StorefrontProcess, name: str) -> None:
    """A hand-written file, a run, a redesign after which nothing is read, the patch, and a run over everything."""
    file = take_hand_written(place, street, name)
    form = form_of(name, street.base_url, street.port)
    assert tally_of(form, run(place, form, form.rows)).is_faultless
    street.change_front(REDESIGNED)
    broken = run(place, form, on_sale(form))
    lost = Verdict.GONE if name in TAKES_ALL_FOR_GONE else Verdict.FAILED
    assert {result.verdict for result in broken} == {lost}, [result.reason for result in broken]
    before = file.read_text()
    street.reset()
    mended = place.run("mend", name, check=False)
    assert file.read_text() == before, "it writes nothing by itself"
    visits = sum(count for path, count in street.hits().paths.items() if path.endswith(("/p", " page")))
    assert visits <= 10, street.hits().paths
    apply_patch(place, mended.stdout)
    tally = tally_of(form, run(place, form, form.rows))
    print(tally)
    assert tally.is_right, f"{tally}\nexit {mended.returncode}\n{mended.stderr}\n{mended.stdout}"
    assert mended.returncode == 0, mended.stderr


def test_patch_leaves_all_that_is_still_right(place: Workplace, street: StorefrontProcess) -> None:
    """Comments, hosts, pace and navigation stand as they stood; `extract` and a sign of `judge` are other ones."""
    file = take_hand_written(place, street, "demo-hydrated")
    form = form_of("demo-hydrated", street.base_url, street.port)
    run(place, form, form.rows)
    street.change_front(REDESIGNED)
    before = file.read_text()
    done = place.run("mend", "demo-hydrated", "--write", check=False)
    after = file.read_text()
    assert (place.config / "platforms" / "demo-hydrated.yaml.before").read_text() == before
    kept = before[: before.index("extract:")]
    assert after.startswith(kept)
    assert "We have stopped selling this" in after
    assert before[before.index("  blocked:") :] in after
    removed = [line for line in done.stdout.splitlines() if re.match(r"-(?!--)", line)]
    assert removed
    assert all(line[1:] in before for line in removed)


def test_file_that_is_still_right_is_left_alone(place: Workplace, street: StorefrontProcess) -> None:
    """No patch, exit 0, and a word that says so; a new build is no change for a file without hashes."""
    take_hand_written(place, street, "oliveyoung")
    form = form_of("oliveyoung", street.base_url, street.port)
    run(place, form, form.rows)
    for front in (FIRST_FRONT, Front(build=5)):
        street.change_front(front)
        done = place.run("mend", "oliveyoung", check=False)
        assert done.stdout == ""
        assert "nothing need be changed" in done.stderr
        assert done.returncode == 0


def test_without_a_good_result_the_remedy_is_named(place: Workplace, street: StorefrontProcess) -> None:
    """Nothing tells what would be right."""
    take_hand_written(place, street, "kurly")
    done = place.run("mend", "kurly", check=False)
    assert done.returncode == 2
    assert "pagemill draft kurly" in done.stderr
    assert "Traceback" not in done.stderr


def test_shop_that_lets_no_browser_in_is_told_as_such(place: Workplace, street: StorefrontProcess) -> None:
    """Its API can be asked, its pages cannot: nothing is printed that could be applied."""
    take_hand_written(place, street, "hwahae")
    form = form_of("hwahae", street.base_url, street.port)
    run(place, form, form.rows)
    street.change_front(REDESIGNED)
    done = place.run("mend", "hwahae", check=False)
    assert done.stdout == ""
    assert done.returncode not in (0, 2)
    assert "403" in done.stderr
