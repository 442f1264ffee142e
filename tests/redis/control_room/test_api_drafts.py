"""Drafting over HTTP: who may, what is refused before anything is visited, and what is answered meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pagemill.control_room.control.drafts import Drafts
from tests.redis.control_room.api_world import World
from tests.redis.control_room.runs_world import config, message, world

__all__ = ["config", "world"]

pytestmark = pytest.mark.redis

DRAFTS = "/api/v1/drafts"
URL = "https://www.shop.com/1"


@pytest.fixture
def endless(world: World, tmp_path: Path) -> Iterator[World]:
    """The API, whose drafts take for ever."""
    program = tmp_path / "program.py"
    program.write_text("import time\ntime.sleep(60)\n")
    drafts = Drafts(command=(sys.executable, str(program)))
    object.__setattr__(world.parts, "drafts", drafts)
    yield world
    drafts.close(20)


def body(**more: Any) -> dict[str, Any]:
    return {"platform": "myshop", "urls": [URL], **more}


def test_who_may_only_read_drafts_nothing(endless: World) -> None:
    """But sees how far one is."""
    assert endless.nobody.post(DRAFTS, body()).status == 401
    assert "--role admin" in message(endless.planner.post(DRAFTS, body()), 403, "forbidden")
    begun = endless.admin.post(DRAFTS, body())
    assert begun.status == 202
    path = f"{DRAFTS}/{begun.data['id']}"
    assert endless.nobody.get(path).status == 401
    found = endless.planner.get(path).data
    assert (found["state"], found["visited"], found["of"], found["draft"]) == ("at_work", 0, 1, None)
    assert endless.planner.post(f"{path}/choose", {"picks": {}}).status == 403
    assert "until its state is done" in message(endless.admin.post(f"{path}/choose", {"picks": {}}), 409, "not_ready")
    assert "try again in a minute" in message(endless.admin.post(DRAFTS, body()), 429, "too_many_requests")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (body(platform="../x"), "body.platform"),
        (body(urls=[]), "body.urls"),
        (body(urls=["file:///etc/passwd"]), "write the whole address"),
        (body(urls=["http://169.254.169.254/latest"]), "must list it in hosts"),
        (body(gone=[URL]), "is named twice"),
        (
            body(urls=[f"{URL}{number}" for number in range(5)], gone=[f"{URL}g{number}" for number in range(2)]),
            "6 at most",
        ),
        (body(colour="red"), "colour"),
        (body(wait_ms="soon"), "body.wait_ms"),
    ],
)
def test_what_cannot_be_drafted_is_refused(endless: World, sent: dict[str, Any], why: str) -> None:
    """With what to do about it, before anything is begun."""
    assert why in message(endless.admin.post(DRAFTS, sent), 422, "invalid")
    assert endless.admin.post(DRAFTS, body()).status == 202


def test_an_unknown_draft_is_told(world: World) -> None:
    """It may have been there once."""
    assert "kept for an hour" in message(world.planner.get(f"{DRAFTS}/0123abcd"), 404, "unknown_draft")
    assert "kept for an hour" in message(
        world.admin.post(f"{DRAFTS}/0123abcd/choose", {"picks": {"price": 1}}), 404, "unknown_draft"
    )
