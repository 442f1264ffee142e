"""What was kept of a failure, over HTTP: a picture that is one, and HTML that nothing can run."""

from __future__ import annotations

import http.client
import os
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from pagemill.config.settings import Config
from pagemill.extraction.artifact_files import HTML, PICTURE, ArtifactKind, file_name
from tests.redis.control_room.api_world import World
from tests.redis.control_room.runs_world import config, message, world

__all__ = ["config", "world"]

pytestmark = pytest.mark.redis

RUN = "20261128-020000-shop-4f1c"
PRODUCT = "A/1 é"
JPEG = b"\xff\xd8\xff\xe0 and so on"
PAGE = "<script>document.title='taken'</script>셔츠"
PATH = f"/api/v1/runs/{RUN}/artifacts"
QUERY = f"?product={quote(PRODUCT, safe='')}"


def keep(config: Config, kind: ArtifactKind, content: bytes) -> Path:
    """As a worker on this machine does."""
    folder = config.settings.artifacts.folder
    folder.mkdir(exist_ok=True)
    path = folder / f"{file_name((RUN, PRODUCT))}{kind.suffix}"
    path.write_bytes(content)
    os.utime(path, (1_800_000_000, 1_800_000_000))
    return path


def fetch(world: World, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc, timeout=20)
    with closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {world.planner.token}"})
        answer = connection.getresponse()
        return answer, answer.read()


def test_what_was_kept_is_listed(world: World, config: Config) -> None:
    """Nothing before a worker has kept something here; of this product and this run alone."""
    assert world.planner.get(PATH + QUERY).data == {"artifacts": []}
    keep(config, HTML, PAGE.encode())
    keep(config, PICTURE, JPEG)
    at = "2027-01-15T08:00:00.000Z"
    assert world.planner.get(PATH + QUERY).data == {
        "artifacts": [
            {"kind": "picture", "bytes": len(JPEG), "taken_at": at},
            {"kind": "html", "bytes": len(PAGE.encode()), "taken_at": at},
        ]
    }
    assert world.planner.get(f"{PATH}?product=A").data == {"artifacts": []}
    assert world.planner.get(f"/api/v1/runs/other/artifacts{QUERY}").data == {"artifacts": []}


def test_html_comes_as_text_that_nothing_can_run_in(world: World, config: Config) -> None:
    """Whatever the page says, and whoever opens it how."""
    keep(config, HTML, PAGE.encode())
    answer, body = fetch(world, f"{PATH}/html{QUERY}")
    assert (answer.status, body.decode()) == (200, PAGE)
    headers = {name.lower(): value for name, value in answer.getheaders()}
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none', ")
    assert headers["content-disposition"].endswith('.txt"')
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_picture_is_a_picture(world: World, config: Config) -> None:
    """A JPEG as such; what only has its name is not there."""
    keep(config, PICTURE, JPEG)
    answer, body = fetch(world, f"{PATH}/picture{QUERY}")
    assert (answer.status, body, answer.getheader("content-type")) == (200, JPEG, "image/jpeg")
    assert answer.getheader("x-content-type-options") == "nosniff"
    keep(config, PICTURE, b"<svg onload=alert(1)>")
    assert "artifacts.folder" in message(world.planner.get(f"{PATH}/picture{QUERY}"), 404, "not_found")


def test_nothing_but_what_was_kept_is_told(world: World, config: Config, tmp_path: Path) -> None:
    """No link is followed, no id leads elsewhere, and nobody sees it without a token."""
    (tmp_path / "secret").write_text("secret")
    keep(config, HTML, b"").unlink()
    (config.settings.artifacts.folder / f"{file_name((RUN, PRODUCT))}.html").symlink_to(tmp_path / "secret")
    for product in (PRODUCT, "../secret", "../../secret", str(tmp_path / "secret")):
        reply = world.planner.get(f"{PATH}/html?product={quote(product, safe='')}")
        assert message(reply, 404, "not_found").startswith("nothing was kept")
    for path in (PATH, f"{PATH}/html", f"{PATH}/picture"):
        assert world.nobody.get(path + QUERY).status == 401
        assert world.planner.get(path).status == 422
