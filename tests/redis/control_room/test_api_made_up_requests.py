"""Requests that are made up from the API's own description: each answer is one that the description knows.

Few and always the same ones, so that it takes seconds: the point is what nobody thought of when writing the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from pagemill.control_room.control.drafts import DraftRequest
from pagemill.model import Verdict
from pagemill.results.store import ResultStore
from tests.browser.dashboard.draft_world import DraftedShop
from tests.redis.control_room.api_world import World
from tests.redis.control_room.runs_world import begin, config, finish, store, world
from tests.redis.control_room.test_processes import eventually

__all__ = ["config", "store", "world"]

pytestmark = pytest.mark.redis

OPERATIONS = [
    ("GET", "/api/v1/runs"),
    ("POST", "/api/v1/runs"),
    ("GET", "/api/v1/runs/{run}"),
    ("GET", "/api/v1/runs/{run}/results"),
    ("GET", "/api/v1/runs/{run}/artifacts"),
    ("GET", "/api/v1/runs/{run}/artifacts/html"),
    ("GET", "/api/v1/runs/{run}/artifacts/picture"),
    ("POST", "/api/v1/runs/{run}/cancel"),
    ("POST", "/api/v1/runs/{run}/again"),
    ("POST", "/api/v1/runs/{run}/apply"),
    ("POST", "/api/v1/runs/{run}/apply/undo"),
    ("GET", "/api/v1/platforms"),
    ("GET", "/api/v1/products/{platform}/{product}/history"),
    ("POST", "/api/v1/try"),
    ("POST", "/api/v1/drafts"),
    ("GET", "/api/v1/drafts/{draft}"),
    ("POST", "/api/v1/drafts/{draft}/choose"),
]
EXAMPLES = 20
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("text/csv", "text/tab-separated-values", "application/x-ndjson")
def as_text(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Catalogues are sent as they stand."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture
def run(world: World, store: ResultStore) -> Iterator[str]:
    """One with results."""
    name = begin(world, 4)
    finish(store, name, range(2), Verdict.CHANGED)
    yield name


@pytest.fixture
def draft(world: World, tmp_path: Path) -> Iterator[str]:
    """One that is done; the next one that is begun waits, and visits nothing."""
    shop = DraftedShop(tmp_path)
    shop.says("Cup")
    object.__setattr__(world.parts, "drafts", shop.drafts)
    shop.go_on()
    begun = shop.drafts.begin(DraftRequest("myshop", ["https://www.shop.example/p/1"]))
    eventually(lambda: (now := shop.drafts.find(begun.id)) is not None and now.told is not None)
    yield begun.id
    shop.drafts.close(20)


_KNOWN: dict[tuple[str, str], Any] = {}


def operations(world: World) -> dict[tuple[str, str], Any]:
    """Those of runs, as the API describes them: each says the same, and it takes a second to make sense of it."""
    if not _KNOWN:
        schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json")
        found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
        rooms = ("/api/v1/runs", "/api/v1/platforms", "/api/v1/products", "/api/v1/try", "/api/v1/drafts")
        _KNOWN.update({(one.method.upper(), one.path): one for one in found if one.path.startswith(rooms)})
    return _KNOWN


def test_all_of_them_are_tried(world: World) -> None:
    """A new one needs a place in the list."""
    assert sorted(operations(world)) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_is_described(
    world: World, run: str, request: pytest.FixtureRequest, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    """With its status, its content type and its shape; whatever breaks the description is refused."""
    operation = operations(world)[method, path]
    there = {"run": run} if "{run}" in path else {}
    if "/drafts" in path:
        draft = request.getfixturevalue("draft")
        there = {"draft": draft} if "{draft}" in path else {}
    known = {"path_parameters": there} if there else {}
    positive = mode is schemathesis.GenerationMode.POSITIVE
    checks = CHECKS if positive else [*CHECKS, negative_data_rejection]

    @seed(17)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, **known))
    def ask(case: schemathesis.Case[Any]) -> None:
        if positive and (method, path) == ("POST", "/api/v1/runs"):
            if isinstance(case.body, dict):
                case.body["platform"], case.query = "shop", {}
            else:
                case.query = {**(case.query or {}), "platform": "shop"}
        headers = {"Authorization": f"Bearer {world.admin.token}"}
        case.call_and_validate(base_url=world.url, headers=headers, checks=checks, timeout=20)

    ask()
