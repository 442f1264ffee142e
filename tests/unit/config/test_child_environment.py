"""What the programs that pagemill starts inherit: what they need, and nothing that only pagemill may know."""

from __future__ import annotations

import pwd
import tempfile
from pathlib import Path

import pytest

from pagemill.browser.machine import find_chromium
from pagemill.config.child_environment import child_environment, driver_environment, home_folder


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process' user has no entry in passwd, as the numbers that containers are run as."""

    def missing(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", missing)
    monkeypatch.delenv("HOME", raising=False)


def test_only_what_is_listed_goes_to_a_child(tmp_path: Path) -> None:
    """Names that nobody has thought of stay here, whoever's they are."""
    needed = {"PATH": "/bin", "LC_ALL": "C", "XDG_CACHE_HOME": "/c", "FONTCONFIG_PATH": "/f", "HOME": str(tmp_path)}
    secret = {"PAGEMILL_API_SECRET": "x", "PGPASSWORD": "x", "GOOGLE_API_KEY": "x", "path": "x", "DEBUG": "pw:*"}
    assert child_environment(needed | secret) == needed


def test_the_driver_gets_its_own_variables_besides(tmp_path: Path) -> None:
    """But not the access token of a service of Playwright's."""
    needed = {"HOME": str(tmp_path), "PW_LANG_NAME": "python", "NODE_OPTIONS": "--max-old-space-size=300"}
    assert driver_environment(needed | {"PLAYWRIGHT_SERVICE_ACCESS_TOKEN": "x", "PAGEMILL_API_SECRET": "x"}) == needed


@pytest.mark.parametrize(
    ("value", "passed_on"),
    [
        ("http://proxy.test:3128", "http://proxy.test:3128"),
        ("http://me:secret@proxy.test:3128/", "http://proxy.test:3128/"),
        ("me:s@cret@proxy.test:3128", "proxy.test:3128"),
        ("socks5://me:s://cret@proxy.test:1080", "socks5://proxy.test:1080"),
        ("localhost,.test", "localhost,.test"),
    ],
)
def test_a_proxy_is_passed_on_without_its_password(value: str, passed_on: str) -> None:
    """In small letters and in capitals."""
    for name in ("https_proxy", "ALL_PROXY"):
        assert child_environment({name: value})[name] == passed_on


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("home", [None, "", "/", "relative", "/does/not/exist"])
def test_a_user_without_a_home_gets_the_temporary_folder(tmp_path: Path, home: str | None) -> None:
    """Chromium and Node want some folder; `/` is what container engines say when there is none."""
    environ = {"TMPDIR": str(tmp_path)} | ({} if home is None else {"HOME": home})
    assert home_folder(environ) is None
    assert child_environment(environ)["HOME"] == str(tmp_path)
    del environ["TMPDIR"]
    assert child_environment(environ)["HOME"] == tempfile.gettempdir()


@pytest.mark.usefixtures("nobody")
def test_a_browser_is_found_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's own would be in it; the one on PATH is found all the same."""
    browser = tmp_path / "chromium"
    browser.write_text("")
    browser.chmod(0o755)
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium(None) == browser
