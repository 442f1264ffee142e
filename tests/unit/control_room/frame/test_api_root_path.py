"""Behind a proxy that has the API below a path of its own, and takes that away, or does not."""

from __future__ import annotations

import pytest

from pagemill.control_room.dashboard import routes
from pagemill.control_room.frame.origin import checked_root_path
from pagemill.control_room.frame.request_gate import BODY_MAX_BYTES
from pagemill.errors import UsageError
from tests.unit.control_room.api.asking import Client, client_of

ROOT = "/tools/pagemill"


@pytest.fixture
def client() -> Client:
    """Of an API with a secret and the pages."""
    client = client_of(root_path=ROOT)
    client.app.include_router(routes.router)
    return client


@pytest.mark.parametrize("before", ["", ROOT])
def test_everything_is_found_with_and_without_the_path(client: Client, before: str) -> None:
    """And keeps its rules: what is not kept, and what is too large."""
    bearer = f"Bearer {client.token()}"
    reply = client.get(f"{before}/api/lanes", authorization=bearer)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    assert client.ask("POST", f"{before}/api/login", chunks=[b"x" * (BODY_MAX_BYTES + 1)]).status == 413
    assert client.ask("DELETE", f"{before}/api/lanes").headers["allow"] == "GET, PUT"
    for page in ("/runs", "/runs/R1", "/products/shop/A%2F1", "/performance/dashboard", "/docs"):
        assert client.get(before + page).status == 200, page
    assert client.get(f"{before}/").headers["location"] == f"{ROOT}/performance/dashboard"
    assert f'href="{ROOT}/runs"' in client.get(f"{before}/runs").body.decode()
    assert client.get(f"{before}/openapi.json").json["servers"] == [{"url": ROOT}]


def test_what_only_begins_like_the_path_is_something_else(client: Client) -> None:
    """A page of that name does not exist."""
    assert client.get(f"{ROOT}s/runs").status == 404
    assert client.get(ROOT).headers["location"] == f"{ROOT}/performance/dashboard"


def test_the_login_is_for_our_path_alone(client: Client) -> None:
    """What else the proxy serves does not get the token."""
    assert client.post("/api/login", {"token": client.token()}).cookie["path"] == ROOT
    assert client.post("/api/logout").cookie["path"] == ROOT
    assert client_of().post("/api/logout").cookie["path"] == "/"


@pytest.mark.parametrize("path", ["pagemill", "/a b", "/a//b", "/a?b", '/"><script>', "/..", "//elsewhere.test", "/é"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    """With how one looks."""
    with pytest.raises(UsageError, match="write one such as /pagemill"):
        checked_root_path(path)


@pytest.mark.parametrize(
    ("path", "root"), [("", ""), ("/", ""), ("/pagemill/", "/pagemill"), ("/a-b/c.d_e~", "/a-b/c.d_e~")]
)
def test_a_path_ends_without_a_slash(path: str, root: str) -> None:
    """As every address that begins with it goes on with one."""
    assert checked_root_path(path) == root
