"""Who may read and who may change: by token, by cookie, and where nobody is asked for either."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import HTTPConnection

from pagemill.control_room.frame.access import AccessRules, RequestToken
from pagemill.control_room.frame.loopback_peer import IS_OWN
from pagemill.control_room.frame.roles import Role
from pagemill.control_room.frame.tokens import issue
from pagemill.errors import AccessRefused, NotDirect, RequestForged, TokenInvalid, TokenMissing, UsageError
from tests.unit.control_room.api.asking import SECRET, START, STATE, Client, Clock, Reply, client_of


def test_without_a_secret_a_connection_that_nobody_looked_at_is_refused() -> None:
    """That it is this user's own must be known, not only not denied."""
    for state in ({}, {IS_OWN: lambda: False}):
        asking = HTTPConnection({"type": "http", "path": "/", "headers": [(b"host", b"localhost")], "state": state})
        with pytest.raises(NotDirect):
            AccessRules("", Clock()).to_read(asking, RequestToken(None, by_cookie=False))


@pytest.fixture
def client() -> Client:
    """Of an API with a secret."""
    return client_of()


@pytest.fixture
def open_client() -> Client:
    """Of an API without one."""
    return client_of("")


def change(client: Client, **headers: str | None) -> Reply:
    return client.post("/memory/cleanup", **headers)


@pytest.mark.parametrize("role", Role)
def test_both_roles_read(client: Client, role: Role) -> None:
    """The token goes into the header, in any case of the word Bearer."""
    for word in ("Bearer", "bearer"):
        reply = client.get("/api/lanes", authorization=f"{word} {client.token(role)}")
        assert (reply.status, reply.json["data"]) == (200, role)


def test_only_an_admin_changes(client: Client) -> None:
    """A planner is known, and told that this is not enough."""
    assert change(client, authorization=f"Bearer {client.token()}").status == 200
    refused = change(client, authorization=f"Bearer {client.token(Role.PLANNER)}")
    assert (refused.status, refused.code) == (403, "forbidden")
    assert "admin" in refused.message


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "token_missing"),
        ("", "token_missing"),
        ("Bearer", "token_missing"),
        ("Bearer ", "token_missing"),
        ("Basic a2ltOmtpbQ==", "token_missing"),
        ("Bearer hello", "token_invalid"),
        ("Bearer h\xe9llo", "token_invalid"),
        ("Bearer a.b.c d.e.f", "token_invalid"),
        (f"Bearer {issue(SECRET[::-1], Role.ADMIN, 60, START, 'eve')}", "token_invalid"),
        (f"Bearer {issue(SECRET, Role.ADMIN, 1, START.replace(year=2023), 'kim')}", "token_expired"),
    ],
)
def test_without_a_good_token_nobody_gets_in(client: Client, authorization: str | None, code: str) -> None:
    """Neither to read nor to change; the answer says what kind of proof it wants."""
    for reply in (client.get("/api/lanes", authorization=authorization), change(client, authorization=authorization)):
        assert (reply.status, reply.code) == (401, code)
        assert reply.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_counts_for_nothing(client: Client) -> None:
    """Addresses are written into logs."""
    assert client.get(f"/api/lanes?token={client.token()}&pagemill_token={client.token()}").status == 401


def test_a_cookie_reads(client: Client) -> None:
    """As a page that is opened in the browser does."""
    assert client.get("/api/lanes", cookie=f"pagemill_token={client.token(Role.PLANNER)}").json["data"] == "planner"
    assert client.get("/api/lanes", cookie="pagemill_token=hello").code == "token_invalid"
    assert client.get("/api/lanes", cookie="other=1").code == "token_missing"


@pytest.mark.parametrize("mark", [None, "", "XMLHttpRequest", "pagemill ", "PAGEMILL", "p\xe4gemill"])
def test_a_cookie_alone_changes_nothing(client: Client, mark: str | None) -> None:
    """A forged request brings it along; only our own page can add the header."""
    refused = change(client, cookie=f"pagemill_token={client.token()}", x_requested_with=mark)
    assert (refused.status, refused.code) == (403, "forged")
    assert "X-Requested-With: pagemill" in refused.message


def test_a_cookie_with_the_mark_changes(client: Client) -> None:
    """For an admin; a planner's page may still read only."""
    marked: dict[str, str | None] = {"x_requested_with": "pagemill"}
    assert change(client, cookie=f"pagemill_token={client.token()}", **marked).status == 200
    refused = change(client, cookie=f"pagemill_token={client.token(Role.PLANNER)}", **marked)
    assert (refused.status, refused.code) == (403, "forbidden")


def test_the_header_beats_the_cookie(client: Client) -> None:
    """Whoever sends a token on purpose means that one, even when it is bad."""
    cookie = f"pagemill_token={client.token(Role.PLANNER)}"
    assert change(client, authorization=f"Bearer {client.token()}", cookie=cookie).status == 200
    assert client.get("/api/lanes", authorization="Bearer hello", cookie=cookie).status == 401


def test_with_a_secret_the_name_of_the_host_does_not_matter(client: Client) -> None:
    """It runs where others reach it, by names that it need not know."""
    token = f"Bearer {client.token()}"
    assert client.get("/api/lanes", authorization=token, host="pagemill.example.com").status == 200
    assert change(client, authorization=token, host="inner:8003", origin="https://pagemill.example.com").status == 200


def test_without_a_secret_everybody_here_is_admin(open_client: Client) -> None:
    """Programs send no headers about sites."""
    assert open_client.get("/api/lanes").json["data"] == "admin"
    assert change(open_client).status == 200
    assert open_client.get("/api/lanes", authorization="Bearer hello").status == 200


@pytest.mark.parametrize("path", ["/api/lanes", "/health", "/docs", "/openapi.json", "/nosuch"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8003", "localhost.evil.example", None])
def test_without_a_secret_a_strangers_name_is_turned_away(open_client: Client, path: str, host: str | None) -> None:
    """A rebound name makes a page of another site look like one of ours, so nothing at all answers to it."""
    refused = open_client.get(path, host=host)
    assert (refused.status, refused.code) == (421, "misdirected")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "Cross-Site", "origin": "http://localhost:8003"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:9000", "sec_fetch_site": "same-site"},
        {"origin": "null"},
    ],
)
def test_without_a_secret_another_site_changes_nothing(open_client: Client, headers: dict[str, str | None]) -> None:
    """Its script may send requests from the same machine's browser."""
    refused = change(open_client, **headers)
    assert (refused.status, refused.code) == (403, "forged")


@pytest.mark.parametrize(
    "headers", [{"origin": "http://localhost:8003", "sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}]
)
def test_without_a_secret_our_own_page_changes(open_client: Client, headers: dict[str, str | None]) -> None:
    """It comes from where the API is."""
    assert change(open_client, **headers).status == 200


@pytest.mark.parametrize("secret", ["", SECRET])
@pytest.mark.parametrize(("host", "accepted"), [(b"localhost:8003", True), (b"evil.example", False)])
async def test_the_gate_holds_for_live_connections_too(secret: str, host: bytes, accepted: bool) -> None:
    """Without a secret, a stranger's name is closed before anything is accepted."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/nosuch", "headers": [(b"host", host)], "scheme": "ws", "query_string": b""}
    await client_of(secret).app(
        scope | {"client": None, "subprotocols": [], "root_path": "", "state": STATE}, receive, send
    )
    assert sent[0]["type"] == "websocket.close"
    assert (sent[0]["code"] == 1008) == (not accepted and not secret)


def connection(**headers: str) -> HTTPConnection:
    """The first request of a live connection."""
    named = {"host": "localhost:8003", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return HTTPConnection({"type": "websocket", "path": "/socket.io/", "headers": raw, "state": STATE})


def test_a_live_connection_shows_a_token() -> None:
    """What the client gives along; the site behind it does not matter then, as that site knows the token."""
    rules = AccessRules(SECRET, Clock())
    token = issue(SECRET, Role.PLANNER, 60, START, "kim")
    for headers in ({}, {"origin": "https://other.example", "sec_fetch_site": "cross-site"}):
        assert rules.access_of_token(token, connection(**headers)).role is Role.PLANNER
    with pytest.raises(TokenInvalid):
        rules.access_of_token("hello", connection(cookie=f"pagemill_token={token}"))
    for nothing in (None, ""):
        with pytest.raises(TokenMissing):
            rules.access_of_token(nothing, connection())


@pytest.mark.parametrize(
    ("headers", "trusted"),
    [
        ({}, True),
        ({"origin": "http://localhost:8003"}, True),
        ({"origin": "https://shown.example", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "http://localhost:9000", "sec_fetch_site": "same-site"}, False),
        ({"origin": "http://localhost:8003", "sec_fetch_site": "cross-site"}, False),
    ],
)
def test_a_live_connection_by_cookie_comes_from_our_own_page(headers: dict[str, str], trusted: bool) -> None:
    """No browser keeps sites apart there, and it adds the cookie by itself."""
    rules = AccessRules(SECRET, Clock())
    token = issue(SECRET, Role.ADMIN, 60, START, "kim")
    asking = connection(cookie=f"pagemill_token={token}", **headers)
    if trusted:
        assert rules.access_of_token(None, asking).role is Role.ADMIN
    else:
        with pytest.raises(RequestForged):
            rules.access_of_token(None, asking)


@pytest.mark.parametrize("token", [None, "hello"])
def test_a_live_connection_without_a_secret_is_not_for_other_sites(token: str | None) -> None:
    """Whatever token they make up."""
    rules = AccessRules("", Clock())
    assert rules.access_of_token(token, connection(origin="http://localhost:8003")).may_change
    for strange in ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"sec_fetch_site": "cross-site"}):
        with pytest.raises(AccessRefused):
            rules.access_of_token(token, connection(**strange))


def test_a_short_secret_is_refused() -> None:
    """Also when it does not come from the environment; it is not repeated."""
    with pytest.raises(UsageError, match="32") as refused:
        AccessRules("hunter2")
    assert "hunter2" not in str(refused.value)


def test_nothing_that_is_printed_shows_a_secret() -> None:
    """Neither the rules nor what a request came with."""
    assert SECRET not in repr(AccessRules(SECRET))
    assert "hello" not in repr(RequestToken("hello", by_cookie=True))
