"""Logging in and out: the cookie and its rules, who one is, and what happens to who guesses."""

from __future__ import annotations

import pytest

from pagemill.control_room.frame.login import FailedLogins
from pagemill.control_room.frame.roles import Role
from tests.unit.control_room.api.asking import Client, Clock, Reply, client_of


@pytest.fixture
def client() -> Client:
    """Of an API with a secret."""
    return client_of()


def log_in(client: Client, token: str, **headers: str | None) -> Reply:
    return client.post("/api/login", {"token": token}, **headers)


def fail(client: Client, times: int) -> list[int]:
    """The statuses of so many failed logins."""
    return [log_in(client, "hello").status for _ in range(times)]


def test_a_login_sets_a_cookie_that_no_script_reads(client: Client) -> None:
    """For as long as the token lasts, for this site alone."""
    token = client.token(expires_s=7200)
    client.clock.pass_s(600)
    reply = log_in(client, token)
    assert reply.status == 200
    assert reply.json == {
        "success": True,
        "data": {"role": "admin", "subject": "kim", "expires_at": "2024-01-20T12:30:00.000Z"},
        "timestamp": "2024-01-20T10:40:00.250Z",
    }
    cookie = reply.cookie
    assert cookie.value == token
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
    assert cookie["max-age"] == str(7200 - 600 - 1)
    assert (cookie["secure"], cookie["domain"]) == ("", "")


def test_over_https_the_cookie_stays_there(client: Client) -> None:
    """It is not sent in the clear later, not even by mistake."""
    client.scheme = "https"
    assert log_in(client, client.token()).cookie["secure"] is True
    assert client.post("/api/logout").cookie["secure"] is True


def test_the_cookie_opens_what_the_token_opened(client: Client) -> None:
    """Until the token expires."""
    cookie = f"pagemill_token={log_in(client, client.token(Role.PLANNER, 60)).cookie.value}"
    assert client.get("/api/session", cookie=cookie).json["data"]["role"] == "planner"
    client.clock.pass_s(60)
    assert client.get("/api/session", cookie=cookie).code == "token_expired"


def test_nobody_has_no_session(client: Client) -> None:
    """A page learns by it that it must ask for a token."""
    reply = client.get("/api/session")
    assert (reply.status, reply.code) == (401, "token_missing")


def test_a_logout_removes_the_cookie(client: Client) -> None:
    """With the attributes that it was set with, or a browser would keep it; being logged out already is no error."""
    for headers in ({}, {"cookie": f"pagemill_token={client.token()}"}):
        reply = client.post("/api/logout", **headers)
        assert (reply.status, reply.json["data"]) == (200, None)
        cookie = reply.cookie
        assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/")
        assert (cookie["httponly"], cookie["samesite"]) == (True, "strict")


def test_a_bad_token_sets_nothing(client: Client) -> None:
    """And is not repeated."""
    reply = log_in(client, "hello.hello.hello")
    assert (reply.status, reply.code) == (401, "token_invalid")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in reply.headers
    assert b"hello" not in reply.body


@pytest.mark.parametrize("path", ["/api/login", "/api/logout"])
def test_another_site_logs_nobody_in_or_out(client: Client, path: str) -> None:
    """Someone who is logged in as somebody else without knowing it works for that one."""
    reply = client.post(path, {"token": client.token()}, sec_fetch_site="cross-site")
    assert (reply.status, reply.code) == (403, "forged")
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.token"),
        ({"token": ""}, "body.token"),
        ({"token": 7}, "body.token"),
        ({"token": "hunter2" * 1000}, "body.token"),
        ({"token": "hunter2\ud800"}, "body.token"),
        ({"token": "hunter2", "\ud800": 1}, "body"),
        ([], "body"),
        (b"hunter2", "body: is not JSON"),
        (b"", "body"),
    ],
)
def test_a_login_that_makes_no_sense_is_explained(client: Client, body: object, field: str) -> None:
    """By the field, without what was in it."""
    reply = client.post("/api/login", body)
    assert (reply.status, reply.code) == (422, "invalid")
    assert field in reply.message
    assert b"hunter2" not in reply.body


def test_a_form_of_another_site_is_no_login(client: Client) -> None:
    """It can send text that looks like JSON without asking first, but not call it JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        assert client.post("/api/login", {"token": client.token()}, content_type=kind).status == 422


def test_who_fails_too_often_must_wait(client: Client) -> None:
    """Five times a minute; the sixth says how long to wait."""
    assert fail(client, 3) == [401] * 3
    client.clock.pass_s(20)
    assert fail(client, 2) == [401] * 2
    refused = log_in(client, "hello")
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "too_many_logins", "40")
    client.clock.pass_s(39.5)
    assert log_in(client, "hello").headers["retry-after"] == "1"
    client.clock.pass_s(0.5)
    assert fail(client, 4) == [401, 401, 401, 429]


def test_a_neighbour_is_not_kept_waiting(client: Client) -> None:
    """Addresses are counted one by one; of IPv6 the household, which may use any of its addresses."""
    assert fail(client, 6)[-1] == 429
    client.address = "198.51.100.8"
    assert fail(client, 1) == [401]
    for number in range(6):
        client.address = f"2001:db8::{number}"
        last = fail(client, 1)
    assert last == [429]
    client.address = "2001:db8:0:1::1"
    assert fail(client, 1) == [401]


def test_who_fails_keeps_no_colleague_out(client: Client) -> None:
    """Behind one address there may be a whole office: a good token gets in whoever failed before, however often."""
    assert fail(client, 100)[-1] == 429
    good = log_in(client, client.token())
    assert (good.status, "set-cookie" in good.headers) == (200, True)
    assert fail(client, 1) == [429]


def test_a_token_of_ours_that_is_over_is_told_as_such(client: Client) -> None:
    """It is no guess: whoever has it learns what to do, whatever others did, and is not counted."""
    token = client.token(expires_s=60)
    client.clock.pass_s(60)
    assert {log_in(client, token).code for _ in range(20)} == {"token_expired"}
    assert fail(client, 6) == [401] * 5 + [429]
    assert log_in(client, token).code == "token_expired"


def test_success_does_not_count(client: Client) -> None:
    """A page may be opened as often as one likes."""
    assert {log_in(client, client.token()).status for _ in range(100)} == {200}
    assert fail(client, 4) == [401] * 4
    assert log_in(client, client.token()).status == 200
    assert fail(client, 2) == [401, 429]


def test_all_together_may_fail_sixty_times(client: Client) -> None:
    """Who has many addresses does not get many more guesses; a minute later it is over."""
    for number in range(60):
        client.address = f"203.0.113.{number}"
        assert fail(client, 1) == [401]
    client.address = "192.0.2.1"
    assert fail(client, 1) == [429]
    assert log_in(client, client.token()).status == 200
    client.clock.pass_s(60)
    assert fail(client, 1) == [401]


def test_reading_is_not_kept_waiting_by_failed_logins(client: Client) -> None:
    """Who has a token needs no login."""
    fail(client, 6)
    assert client.get("/api/lanes", authorization=f"Bearer {client.token()}").status == 200


def test_the_count_of_failures_stays_small() -> None:
    """However many fail, and whatever they call themselves."""
    clock = Clock()
    failed = FailedLogins(clock.monotonic_s)
    for number in range(10_000):
        failed.add(f"{number}")
    assert len(failed._failures) == 60
    clock.pass_s(60)
    assert failed.wait_s("1") == 0
    assert len(failed._failures) == 0


def test_without_a_secret_one_is_logged_in_already() -> None:
    """A page that asks first never asks for a token; a login is no error, and sets nothing."""
    client = client_of("")
    expected = {"role": "admin", "subject": "loopback", "expires_at": None}
    assert client.get("/api/session").json["data"] == expected
    reply = log_in(client, "hello")
    assert (reply.status, reply.json["data"]) == (200, expected)
    assert "set-cookie" not in reply.headers
    assert log_in(client, "hello", origin="https://evil.example").code == "forged"
