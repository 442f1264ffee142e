"""What every answer has in common: headers, limits, and an OpenAPI document that keeps nothing back."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pagemill.control_room.frame.request_gate import BODY_MAX_BYTES, BodyLimit, RequestGate
from pagemill.control_room.frame.security_headers import CONTENT_POLICY
from tests.unit.control_room.api.asking import SECRET, Client, Reply, client_of


@pytest.fixture
def client() -> Client:
    """Of an API with a secret."""
    return client_of()


def answers(client: Client) -> dict[int, Reply]:
    """An answer of every kind that the frame gives, by status."""
    bearer = f"Bearer {client.token()}"
    replies = [
        client.get("/api/lanes", authorization=bearer),
        client.get("/api/lanes"),
        client.post("/memory/cleanup", cookie=f"pagemill_token={client.token()}"),
        client.get("/api/nosuch"),
        client.ask("DELETE", "/api/lanes"),
        client.post("/api/login", b"x" * (BODY_MAX_BYTES + 1)),
        client.post("/api/login", {}),
        client.get("/api/broken", authorization=bearer),
        client.get("/api/away"),
        *(client.post("/api/login", {"token": "x"}) for _ in range(6)),
    ]
    return {reply.status: reply for reply in replies}


def test_every_answer_carries_the_headers(client: Client) -> None:
    """Good ones and bad ones, whoever gives them."""
    replies = answers(client)
    assert set(replies) == {200, 401, 403, 404, 405, 413, 422, 429, 500, 503}
    for status, reply in replies.items():
        headers = reply.headers
        assert headers["x-content-type-options"] == "nosniff", status
        assert headers["referrer-policy"] == "no-referrer", status
        assert headers["cache-control"] == "no-store", status
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
            "form-action": "'self'",
        }
        assert "server" not in headers
        assert "strict-transport-security" not in headers
        assert len(headers) == len(reply.raw_headers), "a header stands there twice"


def test_a_route_may_only_be_stricter(client: Client) -> None:
    """Its own content policy holds beside ours; whatever else it says of the same is replaced."""

    @client.app.get("/strict")
    async def strict() -> Response:
        own = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "none"}
        return Response("text", headers=own)

    headers = client.get("/strict").headers
    assert headers["content-security-policy"] == f"sandbox; default-src 'none', {CONTENT_POLICY}"
    assert headers["x-content-type-options"] == "nosniff"


def test_encryption_is_asked_for_again_only_where_it_is(client: Client) -> None:
    """In the clear the header means nothing, and on loopback it would lock people out."""
    client.scheme = "https"
    assert client.get("/health").headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/api/nosuch", False), ("/memory/status", False), ("/api", False), ("/apiary", True), ("/health", True)],
)
def test_what_the_api_says_is_kept_nowhere(client: Client, path: str, kept: bool) -> None:
    """Files of the page may be."""
    assert ("cache-control" not in client.get(path).headers) is kept


@pytest.mark.parametrize("path", ["/api/login", "/memory/cleanup", "/nosuch"])
def test_a_large_body_is_refused_by_its_length(client: Client, path: str) -> None:
    """Before anything of it is read, also where nobody would have read it."""
    reply = client.ask("POST", path, {"content-length": str(BODY_MAX_BYTES + 1)}, chunks=[b"x"])
    assert (reply.status, reply.code) == (413, "too_large")
    assert "64 KB" in reply.message


def test_a_large_body_is_refused_while_it_comes(client: Client) -> None:
    """When it does not say how large it is, or says it wrongly."""
    chunks = [b"x" * 10_000] * 7
    for length in (None, "10", "9" * 5000):
        reply = client.ask("POST", "/api/login", {"content-length": length}, chunks=chunks)
        assert (reply.status, reply.code) == (413, "too_large")


def test_a_body_of_the_full_size_is_read(client: Client) -> None:
    """To the last byte: it is wrong for another reason."""
    body = b'{"token": "' + b"x" * (BODY_MAX_BYTES - 13) + b'"}'
    assert len(body) == BODY_MAX_BYTES
    assert client.post("/api/login", body).status == 422
    assert client.ask("POST", "/api/login", chunks=[body[:100], body[100:]]).status == 422


async def test_a_body_must_arrive_in_time() -> None:
    """All of it together: one byte now and then keeps nobody waiting for ever."""
    first = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Any:
        return first.pop() if first else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def read(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    gate = RequestGate(read, client_of().app.state.access_rules, body_timeout_s=0.01)
    with pytest.raises(HTTPException, match="timeout") as refused:
        await gate({"type": "http", "headers": []}, receive, send)
    assert refused.value.status_code == 408


async def test_after_the_body_a_client_may_stay_as_long_as_it_likes() -> None:
    """Streamed answers wait for its leaving."""
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": b""}]

    async def receive() -> Any:
        if len(messages) == 1:
            await asyncio.sleep(0.03)
        return messages.pop()

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def read(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    await RequestGate(read, client_of().app.state.access_rules, body_timeout_s=0.01)(
        {"type": "http", "headers": []}, receive, send
    )


async def test_what_may_be_larger_has_a_bound_of_its_own() -> None:
    """By method and path; all else keeps the usual one."""
    larger = {("POST", "/api/v1/runs"): BodyLimit(200_000, 10.0)}
    read: list[int] = []
    answers: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            read.append(len(message["body"]))

    async def send(message: Any) -> None:
        answers.append(message)

    gate = RequestGate(app, client_of().app.state.access_rules, larger=larger)
    for method, path, fits in (("POST", "/api/v1/runs", True), ("PUT", "/api/v1/runs", False), ("POST", "/x", False)):
        pieces = [{"type": "http.request", "body": b"x" * 50_000, "more_body": more} for more in (False, True, True)]

        async def receive(pieces: Any = pieces) -> Any:
            return pieces.pop()

        read.clear()
        scope = {"type": "http", "method": method, "path": path, "headers": [(b"content-length", b"150000")]}
        await gate(scope, receive, send)
        assert sum(read) == (150_000 if fits else 0), path
    assert [message["status"] for message in answers if message["type"] == "http.response.start"] == [413, 413]
    pieces = [{"type": "http.request", "body": b"x" * 50_000, "more_body": True}] * 5

    async def receive_all() -> Any:
        return pieces.pop()

    with pytest.raises(HTTPException, match="the body has more than 195 KB"):
        await gate({"type": "http", "method": "POST", "path": "/api/v1/runs", "headers": []}, receive_all, send)


def test_the_documentation_needs_nobody_else(client: Client) -> None:
    """The page and its script are ours, and the policy lets them work: nothing inline, nothing from elsewhere."""
    page = client.get("/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = page.body.decode()
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", text)
    assert scripts == [(' src="docs/operations.js"', "")]
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", text) == ["data:,", "openapi.json", "docs/operations.js"]
    script = client.get("/docs/operations.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "http" not in script.body.decode()
    assert "innerHTML" not in script.body.decode()


def test_the_document_names_every_failure(client: Client) -> None:
    """Those that need a token say so; all of them have the envelope."""
    document = client.get("/openapi.json").json
    assert (document["info"]["title"], document["info"]["version"]) == ("pagemill", "1.2.3")
    assert document["components"]["securitySchemes"]["token"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "`pagemill token`",
    }
    paths = document["paths"]
    always = {"200", "400", "408", "413", "421", "500", "503"}
    assert set(paths["/health"]["get"]["responses"]) == always | {"422"}
    assert set(paths["/api/session"]["get"]["responses"]) == always | {"401", "403"}
    assert set(paths["/api/lanes"]["put"]["responses"]) == always | {"401", "403", "422"}
    assert set(paths["/api/login"]["post"]["responses"]) == always | {"401", "403", "422", "429"}
    assert set(paths["/api/logout"]["post"]["responses"]) == always | {"403"}
    assert "security" not in paths["/health"]["get"]
    assert paths["/api/lanes"]["get"]["security"] == [{"token": []}, {"login": []}]
    failures = [
        answer["content"]["application/json"]["schema"]
        for path in paths.values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if status != "200"
    ]
    assert failures
    assert all(schema == {"$ref": "#/components/schemas/ErrorEnvelope"} for schema in failures)
    assert {"ErrorEnvelope", "ErrorText"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_document_is_the_same_every_time(client: Client) -> None:
    """A route that is added later is in it."""
    first = client.get("/openapi.json").json
    assert client.get("/openapi.json").json == first
    client.app.get("/later")(lambda: None)
    later = client.get("/openapi.json").json
    assert "421" in later["paths"]["/later"]["get"]["responses"]
    assert {**later, "paths": {**later["paths"], "/later": None}} == {
        **first,
        "paths": {**first["paths"], "/later": None},
    }


def test_the_document_holds_no_secret(client: Client) -> None:
    """It is shown to everybody."""
    assert SECRET.encode() not in client.get("/openapi.json").body
