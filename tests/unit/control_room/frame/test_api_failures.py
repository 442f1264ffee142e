"""Every failure is an answer in the envelope, says what a client may know, and leaves the rest to the log."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from pagemill.control_room.frame.envelope import error_answer, iso
from pagemill.control_room.frame.failures import describe
from pagemill.telemetry import events
from pagemill.telemetry.logging import set_up_logging
from tests.unit.cli.command import logging_kept
from tests.unit.control_room.api.asking import SECRET, START, Client, client_of


@pytest.fixture
def client() -> Client:
    """Of an API with a secret."""
    return client_of()


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Everything that is logged, at the lowest level."""
    stream = io.StringIO()
    with logging_kept():
        set_up_logging("json", "DEBUG", stream)
        yield stream


def test_moments_are_utc_with_milliseconds() -> None:
    """Whatever zone they come in."""
    assert iso(START) == "2024-01-20T10:30:00.250Z"
    assert iso(datetime(2024, 1, 20, 19, 30, tzinfo=timezone(timedelta(hours=9)))) == "2024-01-20T10:30:00.000Z"


def test_an_answer_that_worked_is_in_the_envelope(client: Client) -> None:
    """With the moment of the request."""
    reply = client.get("/health")
    assert reply.json == {"success": True, "data": 1, "timestamp": "2024-01-20T10:30:00.250Z"}


def test_what_is_not_there_is_said_in_the_envelope(client: Client) -> None:
    """A slash too many is another path: a redirect would trust the name that the client asked for."""
    for path in ("/nosuch", "/", "/health/", "/api/", "/api/session/", "/redoc"):
        reply = client.get(path)
        assert (reply.status, reply.code) == (404, "not_found")
        assert reply.json["timestamp"] == "2024-01-20T10:30:00.250Z"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/lanes", "GET, PUT"),
        ("/memory/cleanup", "POST"),
        ("/api/login", "POST"),
        ("/api/session", "GET"),
        ("/docs", "GET"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: Client, path: str, allowed: str) -> None:
    """All of them, also where several routes share a path, and where a router of its own has them."""
    for method in ("DELETE", "TRACE", "PATCH", "nosuch"):
        reply = client.ask(method, path)
        assert (reply.status, reply.code) == (405, "method_not_allowed")
        assert reply.headers["allow"] == allowed


def test_a_wrong_parameter_is_named(client: Client) -> None:
    """With where it was, and without its value."""
    reply = client.get("/health?depth=hunter2")
    assert (reply.status, reply.code) == (422, "invalid")
    assert reply.message.startswith("query.depth: ")
    assert b"hunter2" not in reply.body
    bearer = f"Bearer {client.token()}"
    reply = client.ask("PUT", "/api/lanes", {"authorization": bearer}, {"lanes": 11})
    assert reply.message == "body.lanes: Input should be less than or equal to 10"


def test_many_mistakes_are_not_all_listed() -> None:
    """The answer stays short."""
    errors = [{"type": "missing", "loc": ("body", number), "msg": "Field required"} for number in range(25)]
    said = describe(errors)
    assert said.startswith("body.0: Field required; body.1: ")
    assert said.endswith("body.9: Field required; and 15 more")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[" * 5000])
def test_a_body_that_cannot_be_read_is_the_clients_fault(client: Client, body: bytes) -> None:
    """However it is broken."""
    reply = client.post("/api/login", body)
    assert reply.status in (400, 422)
    assert reply.code in ("bad_request", "invalid")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_a_body_that_is_not_said_to_be_json_is_told_so(client: Client, kind: str | None) -> None:
    """As of `curl -d`, which says that it sends a form; the remedy is in the answer."""
    bearer = f"Bearer {client.token()}"
    reply = client.ask("PUT", "/api/lanes", {"authorization": bearer, "content-type": kind}, {"lanes": 3})
    assert (reply.status, reply.code) == (422, "invalid")
    assert reply.message == "body: nothing says that it is JSON: send the header `Content-Type: application/json`"


def test_a_route_may_name_its_own_error(client: Client) -> None:
    """A word that programs can tell from others of the same status."""
    reply = client.get("/api/taken")
    assert (reply.status, reply.code) == (409, "already_running")
    assert reply.message == "a cleanup is running: wait for it"


def test_a_service_out_of_reach_is_503(client: Client) -> None:
    """With its remedy, and when to ask again."""
    reply = client.get("/api/away")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "service_unavailable", "5")
    assert reply.message == "Redis does not answer: start it"


def test_a_name_that_is_no_text_does_not_break_the_answer() -> None:
    """JSON can write half a surrogate pair, and a message may repeat a field's name."""
    answer = error_answer(422, "invalid", "body.\ud800: is not known", START)
    assert json.loads(bytes(answer.body))["error"]["message"] == "body.?: is not known"


def test_an_answer_that_has_no_body_gets_none(client: Client) -> None:
    """A browser would take one for the beginning of the next answer."""

    async def unchanged() -> None:
        raise HTTPException(304)

    client.app.get("/api/unchanged")(unchanged)
    reply = client.get("/api/unchanged")
    assert (reply.status, reply.body) == (304, b"")


def test_what_nobody_expected_is_told_to_the_log_only(client: Client, log_lines: io.StringIO) -> None:
    """The client learns that it is not its fault; the traceback is in one line, without token and secret."""
    token = client.token()
    cookie = f"pagemill_token={token}"
    reply = client.get(f"/api/broken?token={token}", authorization=f"Bearer {token}", cookie=cookie)
    assert (reply.status, reply.code) == (500, "unexpected")
    assert "shelf" not in reply.message
    (line,) = log_lines.getvalue().splitlines()
    assert events.UNEXPECTED in line
    assert "the shelf fell down" in line
    assert '"path": "/api/broken"' in line
    assert token not in line
    assert SECRET not in line


def test_no_refusal_writes_a_token_to_the_log(client: Client, log_lines: io.StringIO) -> None:
    """Good or bad, in header, cookie or body."""
    token = client.token(expires_s=1)
    client.clock.pass_s(5)
    client.get("/api/lanes", authorization=f"Bearer {token}", cookie=f"pagemill_token={token}")
    client.post("/api/login", {"token": token})
    client.post("/api/login", {"token": token, token: token})
    client.post("/api/login", b'{"token": "' + token.encode())
    assert token not in log_lines.getvalue()
    assert SECRET not in log_lines.getvalue()


def test_an_answer_that_breaks_off_is_not_mended(client: Client, log_lines: io.StringIO) -> None:
    """Its beginning is with the client already: the server must cut the line, so that nobody takes it for whole."""
    stream_half(client.app)
    with pytest.raises(ValueError, match="half"):
        client.get("/api/half")
    assert events.UNEXPECTED in log_lines.getvalue()


def stream_half(app: FastAPI) -> None:
    """Adds a route whose answer breaks off."""

    async def parts() -> object:
        yield b"first"
        raise ValueError("half of it")

    async def half() -> StreamingResponse:
        return StreamingResponse(parts())  # type: ignore[arg-type]

    app.get("/api/half")(half)
