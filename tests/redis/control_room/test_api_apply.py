"""Writing back over HTTP, on a real catalogue: shown unless told otherwise, in pages, one at a time, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from pagemill.config.settings import Config, Environment, Settings
from pagemill.results.store import ResultStore
from tests.redis.control_room.api_world import SECRET, World, api_running
from tests.redis.control_room.runs_world import message
from tests.unit.applying.apply_contract import GOODS
from tests.unit.applying.apply_values import RUN, Catalogue, changed, shop

pytestmark = pytest.mark.redis

PATH = f"/api/v1/runs/{RUN}/apply"


@pytest.fixture
def may_write() -> bool:
    """Whether the API has an account for it."""
    return True


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path, may_write: bool) -> Iterator[World]:
    """An API that asks for tokens."""
    url = f"sqlite:///{tmp_path}/goods.db"
    environment = Environment(api_secret=SECRET, catalog_url=url, catalog_write_url=url if may_write else "")
    config = Config(settings=Settings(), platforms={"shop": shop()}, environment=environment)
    with api_running(redis_server, tmp_path, config=config) as world:
        yield world


@pytest.fixture
def catalogue(world: World, tmp_path: Path) -> Iterator[Catalogue]:
    """A catalogue of three products, and a run that found another price for each."""
    with ResultStore(f"sqlite:///{tmp_path}/results.db") as store:
        catalogue = Catalogue(f"sqlite:///{tmp_path}/goods.db", store)
        catalogue.execute(GOODS)
        catalogue.insert(**dict.fromkeys("ABC", "'a', 5, 'on_sale'"))
        catalogue.found([changed(name, price=(5, 6)) for name in "ABC"])
        yield catalogue


def prices(catalogue: Catalogue) -> list[int]:
    return [int(row[0]) for row in catalogue.rows("SELECT price FROM goods ORDER BY id")]


def test_a_request_shows_unless_it_says_write(world: World, catalogue: Catalogue) -> None:
    """With what would be written; then it is, once; then it is taken back."""
    shown = world.admin.post(PATH).data
    assert (shown["written"], shown["outcomes"], shown["columns"]) == (False, {"written": 3}, 3)
    assert shown["changes"][0] == {
        "platform": "shop",
        "product_id": "A",
        "outcome": "written",
        "field": "price",
        "column": "price",
        "before": 5,
        "after": 6,
        "reason": "",
    }
    assert prices(catalogue) == [5, 5, 5]
    done = world.admin.post(PATH, {"write": True, "limit": 1}).data
    assert (done["written"], done["outcomes"], len(done["changes"]), done["next_after"]) == (
        True,
        {"written": 3},
        1,
        "",
    )
    assert prices(catalogue) == [6, 6, 6]
    assert world.admin.post(PATH, {"write": True}).data["outcomes"] == {"already": 3}
    assert world.admin.post(f"{PATH}/undo").data["outcomes"] == {"written": 3}
    assert prices(catalogue) == [6, 6, 6]
    assert world.admin.post(f"{PATH}/undo", {"write": True}).data["outcomes"] == {"written": 3}
    assert prices(catalogue) == [5, 5, 5]
    assert "nothing to undo" in message(world.admin.post(f"{PATH}/undo", {"write": True}), 422, "invalid")


def test_what_is_left_is_told_by_itself(world: World, catalogue: Catalogue) -> None:
    """However many are written before it, with the reason."""
    catalogue.execute("UPDATE goods SET price = 7 WHERE id = 'C'")
    shown = world.admin.post(PATH, {"limit": 1}).data
    assert shown["outcomes"] == {"written": 2, "otherwise": 1}
    assert [each["product_id"] for each in shown["changes"]] == ["A"]
    (left,) = shown["left"]
    assert (left["product_id"], left["outcome"], left["before"]) == ("C", "otherwise", 7)
    assert left["reason"] == "price says 7, the run expected 5"
    assert [each["product_id"] for each in world.admin.post(PATH).data["changes"]] == ["A", "B", "C"]


def test_a_client_knows_what_it_may_offer(world: World, catalogue: Catalogue) -> None:
    """Which fields of a platform may be written, and that there is an account for it."""
    (shop,) = world.planner.get("/api/v1/platforms").data["platforms"]
    assert "price" in shop["written_back"]
    assert world.admin.post(PATH).data["may_be_written"] is True


def test_only_an_admin_may(world: World, catalogue: Catalogue) -> None:
    """Not even look: what a rehearsal shows is the catalogue's."""
    for path in (PATH, f"{PATH}/undo"):
        assert world.nobody.post(path, {"write": True}).status == 401
        assert "--role admin" in message(world.planner.post(path, {"write": True}), 403, "forbidden")
    assert prices(catalogue) == [5, 5, 5]


def test_one_at_a_time(world: World, catalogue: Catalogue) -> None:
    """The others are told to try again."""
    with world.parts.applying:
        reply = world.admin.post(PATH, {"write": True})
    assert (reply.status, reply.headers["retry-after"]) == (429, "5")
    assert prices(catalogue) == [5, 5, 5]
    assert world.admin.post(PATH, {"write": True}).status == 200


@pytest.mark.parametrize("may_write", [False])
def test_without_an_account_for_it_nothing_can_write(world: World, catalogue: Catalogue) -> None:
    """The remedy names the variable."""
    told = message(world.admin.post(PATH, {"write": True}), 422, "invalid")
    assert "set PAGEMILL_CATALOG_WRITE_URL" in told
    shown = world.admin.post(PATH).data
    assert (shown["outcomes"], shown["may_be_written"]) == ({"written": 3}, False)
    assert prices(catalogue) == [5, 5, 5]
