"""What Playwright reads of its driver: every message, but for those that are too long."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from playwright.async_api import async_playwright
from structlog.testing import capture_logs

from pagemill.browser.driver_messages import BoundedConnect, BoundedOutput
from pagemill.browser.driver_start import confine_driver
from pagemill.telemetry import events


def framed(*messages: bytes) -> bytes:
    """As the driver writes them."""
    return b"".join(len(message).to_bytes(4, "little") + message for message in messages)


async def read(output: Any, piece: int) -> bytes:
    """One message, as Playwright reads it."""
    left = int.from_bytes(await output.readexactly(4), "little")
    parts = []
    while left:
        parts.append(await output.readexactly(min(left, piece)))
        left -= len(parts[-1])
    return b"".join(parts)


def stream(data: bytes) -> asyncio.StreamReader:
    """A stream that brings that and ends."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("piece", [1, 4, 1000])
async def test_messages_are_read_as_they_are_but_for_long_ones(piece: int) -> None:
    """One that is passed over is told; the stream's end is one still."""
    long = b"x" * 200_000
    output = BoundedOutput(stream(framed(b"one", long, long, b"four", b"", b"five!")), max_bytes=5)
    with capture_logs() as lines:
        assert [await read(output, piece) for _ in range(4)] == [b"one", b"four", b"", b"five!"]
        with pytest.raises(asyncio.IncompleteReadError):
            await read(output, piece)
    assert [(line["event"], line["bytes"]) for line in lines] == [(events.MESSAGE_DROPPED, 200_000)] * 2


@pytest.mark.parametrize("piece", [1, 4, 1000])
async def test_what_nobody_has_asked_for_may_be_less_long(piece: int) -> None:
    """An answer of that length is read, from its beginning."""
    answer, long_answer, event = b'{"id":1,"v":"xxx"}', b'{"id":1,"v":"xxxxxxxxxx"}', b'{"guid":"page@1"}'
    output = BoundedOutput(stream(framed(answer, event, long_answer, answer, b"{}")), max_bytes=20, max_event_bytes=9)
    assert [await read(output, piece) for _ in range(3)] == [answer, answer, b"{}"]


async def test_a_driver_that_ends_in_the_middle_of_one_has_ended() -> None:
    """As Playwright expects it."""
    with pytest.raises(asyncio.IncompleteReadError):
        await read(BoundedOutput(stream(framed(b"x" * 100)[:50]), max_bytes=5), 10)


async def test_a_transport_reads_through_it_from_when_it_is_connected() -> None:
    """Whatever else is asked of its stream is the stream's own."""

    async def connect(self: Any) -> None:
        self._proc = SimpleNamespace(stdout=stream(framed(b"one")))
        self.on_error_future = asyncio.get_running_loop().create_future()

    transport_type = type("Transport", (), {"connect": BoundedConnect(connect)})
    transport = transport_type()
    await transport.connect()
    output = transport._proc.stdout
    assert isinstance(output, BoundedOutput)
    assert output.at_eof() is False
    assert await read(output, 10) == b"one"


async def test_a_driver_that_is_killed_leaves_no_error_that_nobody_has_asked_for() -> None:
    """The loop would tell Playwright's own, as something unexpected, whenever Python happens to clear it away."""
    confine_driver()
    playwright = await async_playwright().start()
    [driver] = [child for child in psutil.Process().children() if "run-driver" in child.cmdline()]
    driver.kill()
    with pytest.raises(Exception, match="closed"):
        await playwright.chromium.launch(executable_path="/nowhere")
    ends = [each.on_error_future for each in gc.get_objects() if type(each).__name__ == "PipeTransport"]
    assert [end.done() for end in ends[-1:]] == [True]
    assert [end for end in ends if end._log_traceback] == []
