"""The pipe to Chromium: answers find who asked, bad news reaches whoever waits, and nothing is kept."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError
from structlog.testing import capture_logs

from pagemill.browser.cdp.connection import CLOSED, CRASHED, Connection
from pagemill.browser.protocol_messages import Messages
from pagemill.telemetry import events


class Far:
    """The other end, where Chromium would be."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers: int | None = answers
        self._rest = b""
        self.lost = 0

    async def heard(self) -> dict[str, Any]:
        """The next command."""
        while b"\0" not in self._rest:
            self._rest += await asyncio.to_thread(os.read, self._commands, 1 << 16)
        message, _, self._rest = self._rest.partition(b"\0")
        command: dict[str, Any] = json.loads(message)
        return command

    async def say(self, *messages: dict[str, Any], pieces: int = 1) -> None:
        """Sends messages in so many pieces."""
        assert self._answers is not None
        data = b"".join(json.dumps(message, separators=(",", ":")).encode() + b"\0" for message in messages)
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            view = data[start : start + size]
            while view:
                view = view[await asyncio.to_thread(os.write, self._answers, view) :]
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Ends."""
        if self._answers is not None:
            os.close(self._answers)
            self._answers = None

    def close(self) -> None:
        """Frees what is left."""
        self.hang_up()
        os.close(self._commands)


@pytest_asyncio.fixture
async def line() -> AsyncIterator[tuple[Connection, Far]]:
    """A connection and its other end."""
    commands, near_commands = os.pipe()
    near_answers, answers = os.pipe()
    far = Far(commands, answers)

    def lose() -> None:
        far.lost += 1

    connection = await Connection.opened(near_answers, near_commands, lose)
    yield connection, far
    connection.close()
    await asyncio.sleep(0.01)
    far.close()
    assert connection._waiting == {}


async def test_answers_find_who_asked(line: tuple[Connection, Far]) -> None:
    """In whatever order they come, together or in pieces, small or large."""
    connection, far = line
    asking = [asyncio.create_task(connection.send(f"A.{n}", {"n": n}, f"s{n}")) for n in range(3)]
    heard = [await far.heard() for _ in range(3)]
    assert [(each["method"], each["params"], each["sessionId"]) for each in heard] == [
        (f"A.{n}", {"n": n}, f"s{n}") for n in range(3)
    ]
    large = "x" * 3_000_000
    answers = [{"id": each["id"], "result": {"to": each["method"], "text": large}} for each in reversed(heard)]
    await far.say(*answers, pieces=7)
    assert [(await each)["to"] for each in asking] == ["A.0", "A.1", "A.2"]


async def test_a_refusal_is_an_error(line: tuple[Connection, Far]) -> None:
    """With Chromium's words."""
    connection, far = line
    asking = asyncio.create_task(connection.send("A.b"))
    command = await far.heard()
    assert "params" not in command and "sessionId" not in command
    await far.say({"id": command["id"], "error": {"code": -32000, "message": "No such thing"}})
    with pytest.raises(PlaywrightError, match="No such thing"):
        await asking


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"method": "Inspector.targetCrashed", "sessionId": "bad", "params": {}}, CRASHED),
        ({"method": "Target.detachedFromTarget", "params": {"sessionId": "bad"}}, CLOSED),
    ],
    ids=["crashed", "closed"],
)
async def test_a_page_that_goes_fails_its_own_calls_only(
    line: tuple[Connection, Far], event: dict[str, Any], told: str
) -> None:
    """Those under way, and those to come until it is forgotten."""
    connection, far = line
    bad, good = (asyncio.create_task(connection.send("A.b", None, name)) for name in ("bad", "good"))
    commands = [await far.heard(), await far.heard()]
    await far.say(event)
    with pytest.raises(PlaywrightError, match=told):
        await bad
    with pytest.raises(PlaywrightError, match=told):
        await connection.send("A.c", None, "bad")
    await far.say({"id": commands[1]["id"], "result": {"fine": True}})
    assert await good == {"fine": True}
    connection.forget("bad")
    assert connection._ended == {}


async def test_a_closed_page_is_waited_for(line: tuple[Connection, Far]) -> None:
    """Until Chromium says that it has gone; a crash alone is not that, the browser's end is."""
    connection, far = line
    waiting = [asyncio.create_task(connection.wait_detached(name)) for name in ("one", "other")]
    await far.say({"method": "Inspector.targetCrashed", "sessionId": "one", "params": {}})
    await asyncio.sleep(0.02)
    assert not waiting[0].done()
    await far.say({"method": "Target.detachedFromTarget", "params": {"sessionId": "one"}})
    await asyncio.wait_for(waiting[0], 1)
    assert not waiting[1].done()
    far.hang_up()
    await asyncio.wait_for(waiting[1], 1)


async def test_a_browser_that_goes_fails_everything_once(line: tuple[Connection, Far]) -> None:
    """Whoever waits learns it at once, and so does whoever asks later."""
    connection, far = line
    asking = [asyncio.create_task(connection.send("A.b", None, name)) for name in ("", "page")]
    await far.heard()
    await far.heard()
    far.hang_up()
    for each in asking:
        with pytest.raises(PlaywrightError, match=CLOSED):
            await each
    with pytest.raises(PlaywrightError, match=CLOSED):
        await connection.send("A.c")
    await connection.wait_closed()
    assert far.lost == 1


async def test_events_reach_their_handler_until_it_is_forgotten(line: tuple[Connection, Far]) -> None:
    """Those of other pages, and those that nobody asked for, reach nobody."""
    connection, far = line
    heard: list[dict[str, Any]] = []
    connection.on("s1", "Fetch.requestPaused", heard.append)
    event = {"method": "Fetch.requestPaused", "params": {"requestId": "1"}}
    await far.say({**event, "sessionId": "s1"}, {**event, "sessionId": "s2"}, {"method": "Other.thing", "params": {}})
    await asyncio.sleep(0.02)
    connection.forget("s1")
    await far.say({**event, "sessionId": "s1"})
    await asyncio.sleep(0.02)
    assert heard == [{"requestId": "1"}]


async def test_an_event_reaches_everybody_who_asked_for_it(line: tuple[Connection, Far]) -> None:
    """Those who listen to one page do not know of each other."""
    connection, far = line
    heard: list[tuple[str, dict[str, Any]]] = []
    connection.on("s1", "Page.frameNavigated", lambda event: heard.append(("first", event)))
    connection.on("s1", "Page.frameNavigated", lambda event: heard.append(("second", event)))
    await far.say({"method": "Page.frameNavigated", "params": {"frame": {}}, "sessionId": "s1"})
    await asyncio.sleep(0.02)
    assert heard == [("first", {"frame": {}}), ("second", {"frame": {}})]


async def test_a_cancelled_call_leaves_nothing(line: tuple[Connection, Far]) -> None:
    """Its answer, when it comes after all, finds nobody."""
    connection, far = line
    asking = asyncio.create_task(connection.send("A.b"))
    command = await far.heard()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert connection._waiting == {}
    await far.say({"id": command["id"], "result": {}})
    await asyncio.sleep(0.01)


async def test_a_page_that_says_too_much_at_once_is_given_up(
    line: tuple[Connection, Far], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it learns it, now and later; other pages, and what nobody waits for, go on."""
    connection, far = line
    monkeypatch.setattr(connection, "_messages", Messages(1_000))
    asking = [asyncio.create_task(connection.send("A.b", {}, session)) for session in ("s1", "s1", "s2", "")]
    _, _, _, of_browser = [await far.heard() for _ in range(4)]
    with capture_logs() as lines:
        await far.say({"method": "Fetch.requestPaused", "params": {"x": "x" * 2_000}, "sessionId": "s1"}, pieces=3)
        for call in asking[:2]:
            with pytest.raises(PlaywrightError, match="said more at once"):
                await call
        with pytest.raises(PlaywrightError, match="said more at once"):
            await connection.send("A.c", {}, "s1")
        await far.say({"id": of_browser["id"], "result": {"x": "x" * 2_000}})
        with pytest.raises(PlaywrightError, match="said more at once"):
            await asking[3]
    assert not asking[2].done()
    asking[2].cancel()
    assert [line["method"] for line in lines if line["event"] == events.MESSAGE_DROPPED] == ["Fetch.requestPaused", ""]
    connection.end_session("s1", CLOSED)
    connection.forget("s1")
