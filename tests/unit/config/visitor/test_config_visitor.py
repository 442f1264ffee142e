"""What a platform says of its visitor: every mistake is explained, and secrets are named and never written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pagemill.config.environment import read_environment
from pagemill.config.loading import load_config
from pagemill.config.mistakes import Mistake
from pagemill.config.settings import Environment
from pagemill.config.visitor.devices import find_device
from pagemill.config.visitor.needs import visitor_needs
from pagemill.config.visitor.secrets import Credentials, ProxyAddress
from pagemill.config.visitor.storage_state import read_storage_state
from pagemill.config.visitor.visitor import Viewport
from pagemill.errors import ConfigError
from tests.unit.config.test_config_loading import SHOP, problems_of, write

MISTAKES = {
    "an unknown device": ("{device: iphone 51}", "device", "not a device", "did you mean `iPhone"),
    "a device like none": ("{device: 冷蔵庫}", "device", "not a device", "such as iPhone 15"),
    "an unknown time zone": ("{time_zone: Asia/Soul}", "time_zone", "not a time zone", "Asia/Seoul"),
    "no locale": ("{locale: Korean (South)}", "locale", "not a locale", "ko-KR"),
    "a place off the map": ("{geolocation: {latitude: 91, longitude: 0}}", "geolocation.latitude", "at most 90", "90"),
    "half a place": ("{geolocation: {latitude: 9}}", "geolocation.longitude", "is missing", "add the key"),
    "a header that has a key": ("{headers: {Cookie: a=1}}", "headers.Cookie", "not set as a header", "write cookies"),
    "a password in a header": (
        "{headers: {Authorization: Basic hunter2}}",
        "headers.Authorization",
        "not set as a header",
        "write credentials",
    ),
    "a header with a line break": ('{headers: {X: "a\\r\\nb"}}', "headers.X", "no header can carry", "one line"),
    "a header with a blank name": ("{headers: {a b: c}}", "headers.a b", "not a header's name", "letters"),
    "a cookie with a semicolon": ("{cookies: {a: 'b;c'}}", "cookies.a", "no cookie can carry", "%20"),
    "a cookie that is a number": ("{cookies: {a: 1}}", "cookies.a", "expected text", "quotes"),
    "a user agent in two lines": ('{user_agent: "a\\nb"}', "user_agent", "no header can carry", "one line"),
    "an address for a proxy's name": ("{proxies: ['http://u:hunter2@h:1']}", "proxies.0", "is not a name", "SEOUL_A"),
    "a proxy twice": ("{proxies: [A, A]}", "proxies", "stands there twice", "once"),
    "credentials in YAML": ("{credentials: 'me:hunter2'}", "credentials", "is not a name", "capital letters"),
    "a password under its own key": ("{password: hunter2}", "password", "does not belong in a file", "environment"),
    "half a certificate": (
        "{client_certificates: [{origin: 'https://a.b', cert_file: c.pem}]}",
        "client_certificates.0",
        "no whole certificate",
        "key_file",
    ),
    "certificates through proxies": (
        "{proxies: [A], client_certificates: [{origin: 'https://a.b', pfx_file: c}]}",
        "client_certificates",
        "does not go with proxies",
        "remove one",
    ),
    "an unknown session": ("{session: forget}", "session", "expected keep or clear", "keep or clear"),
}


@pytest.mark.parametrize(("visitor", "key", "message", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_visitor_is_explained(
    tmp_path: Path, visitor: str, key: str, message: str, remedy: str
) -> None:
    """With file, line and key, in plain words, and with what to do; nothing that may be a secret is repeated."""
    (problem,) = problems_of(write(tmp_path, {"platforms/shop.yaml": f"{SHOP}visitor: {visitor}\n"}))
    assert (problem.line, problem.path) == (7, f"visitor.{key}")
    assert message in problem.message
    assert remedy in problem.remedy
    assert "hunter2" not in str(problem)


def test_the_old_names_go_on_working(tmp_path: Path) -> None:
    """Window, user agent and locale of `navigation` are the visitor's, and are told to be outdated."""
    old = (
        "navigation: {viewport: {width: 400}, user_agent: Mine/1.0, locale: ko-KR}\nvisitor: {time_zone: Asia/Seoul}\n"
    )
    platform = load_config(write(tmp_path, {"platforms/shop.yaml": SHOP + old}), {}).platforms["shop"]
    assert platform.visitor.window == Viewport(width=400)
    assert (platform.visitor.agent, platform.visitor.locale) == ("Mine/1.0", "ko-KR")
    assert platform.visitor.time_zone == "Asia/Seoul"
    assert platform.outdated == {
        "navigation.viewport": "visitor.viewport",
        "navigation.user_agent": "visitor.user_agent",
        "navigation.locale": "visitor.locale",
    }


def test_a_key_by_both_names_is_a_mistake(tmp_path: Path) -> None:
    """Nobody knows which of the two would count."""
    both = "navigation: {locale: ko-KR}\nvisitor: {locale: en-US}\n"
    (problem,) = problems_of(write(tmp_path, {"platforms/shop.yaml": SHOP + both}))
    assert (problem.line, problem.path) == (8, "visitor.locale")
    assert "navigation.locale as well" in problem.message


def test_a_device_brings_window_and_user_agent_and_what_is_written_beats_it() -> None:
    """Of Playwright's registry."""
    device = find_device("Pixel 7")
    assert (device.width, device.scale, device.mobile, device.touch) == (412, 2.625, True, True)
    assert "Pixel 7" in device.user_agent


PROXIES = {
    "http://u:p%40ss@proxy.test:3128": ("http://proxy.test:3128", Credentials("u", "p@ss")),
    "https://proxy.test": ("https://proxy.test:443", None),
    "socks5://[::1]:1080": ("socks5://[::1]:1080", None),
    "http://only-a-user@proxy.test": ("http://proxy.test:80", Credentials("only-a-user", "")),
}


@pytest.mark.parametrize(("text", "expected"), PROXIES.items(), ids=PROXIES)
def test_a_proxys_address_is_read(text: str, expected: tuple[str, Credentials | None]) -> None:
    """Server and credentials apart, percent-encoding undone; neither shows in a repr."""
    address = ProxyAddress.parse(text)
    assert (address.server, address.credentials) == expected
    assert "proxy.test" not in repr(address)
    assert "p@ss" not in repr(address.credentials)


BAD_PROXIES = {
    "proxy.test:3128": "not the address of a proxy",
    "ftp://proxy.test": "not the address of a proxy",
    "http://": "not the address of a proxy",
    "http://proxy.test:99999": "not the address of a proxy",
    "http://proxy.test/path": "behind host and port",
    "http://:hunter2@proxy.test": "a password and no user",
    "socks5://u:hunter2@proxy.test": "cannot sign in to a SOCKS proxy",
    "http://proxy.test --proxy-server=x": "not the address of a proxy",
}


@pytest.mark.parametrize(("text", "message"), BAD_PROXIES.items(), ids=BAD_PROXIES)
def test_what_is_no_proxy_is_explained(text: str, message: str) -> None:
    """By the name of the variable, without its value."""
    _, (problem,) = read_environment({"PAGEMILL_PROXY_SEOUL_A": text})
    assert problem.path == "PAGEMILL_PROXY_SEOUL_A"
    assert message in problem.message
    assert "hunter2" not in str(problem)
    assert problem.remedy


def test_secrets_come_from_variables_and_files(tmp_path: Path) -> None:
    """Proxies and credentials by name; what stands in them is shown nowhere."""
    file = tmp_path / "secret"
    file.write_text("keeper:hunter2:too\n")
    environ = {"PAGEMILL_PROXY_SEOUL_A": "http://u:hunter2@h:1", "PAGEMILL_CREDENTIALS_SHOP_FILE": str(file)}
    environment, problems = read_environment(environ)
    assert problems == ()
    assert environment.proxies["SEOUL_A"].server == "http://h:1"
    assert environment.credentials == {"SHOP": Credentials("keeper", "hunter2:too")}
    assert "hunter2" not in repr(environment)


def test_credentials_without_a_colon_are_explained() -> None:
    """A user alone is no password."""
    with pytest.raises(Mistake, match="user:password"):
        Credentials.parse("hunter2")


def test_all_that_is_missing_comes_at_once_with_its_line(tmp_path: Path) -> None:
    """Variables and files that a visitor names; other processes load the same files without them."""
    visitor = "visitor:\n  proxies: [A]\n  credentials: B\n  storage_state: none.json\n"
    config = load_config(write(tmp_path, {"platforms/shop.yaml": SHOP + visitor}), {})
    with pytest.raises(ConfigError) as caught:
        visitor_needs(config.platforms.values(), config.environment)
    told = {(problem.line, problem.path, problem.message) for problem in caught.value.problems}
    assert told == {
        (8, "visitor.proxies", "PAGEMILL_PROXY_A is not set"),
        (9, "visitor.credentials", "PAGEMILL_CREDENTIALS_B is not set"),
        (10, "visitor.storage_state", "none.json cannot be read: No such file or directory"),
    }


STATES = {
    "no JSON": ("{", "is not JSON"),
    "another form": ('{"cookies": [{"name": "a", "value": "b"}]}', "at cookies.0.domain"),
    "IndexedDB": (
        '{"origins": [{"origin": "https://a.b", "indexedDB": [{}]}]}',
        r"holds indexedDB of https://a.b, which cannot be set \(save it without indexed_db=True\)",
    ),
    "files": (
        '{"origins": [{"origin": "https://a.b", "opfs": [{"path": "a"}]}]}',
        r"holds opfs of https://a.b, which cannot be set \(save it without opfs=True\)",
    ),
    "passkeys": ('{"credentials": [{"id": "a"}]}', r"holds credentials, which cannot be set \(save it without cred"),
    "what nobody knows": (
        '{"origins": [{"origin": "https://a.b", "sessionStorage": [1]}]}',
        r"holds sessionStorage of https://a.b, which cannot be set \(remove it\)",
    ),
}


@pytest.mark.parametrize(("text", "message"), STATES.values(), ids=STATES)
def test_a_bad_storage_state_is_explained(tmp_path: Path, text: str, message: str) -> None:
    """By the file's name and the place in it."""
    file = tmp_path / "state.json"
    file.write_text(text)
    config = load_config(write(tmp_path, {"platforms/shop.yaml": f"{SHOP}visitor: {{storage_state: {file}}}\n"}), {})
    with pytest.raises(ConfigError, match=message):
        visitor_needs(config.platforms.values(), Environment())


def test_what_holds_nothing_is_no_mistake(tmp_path: Path) -> None:
    """Playwright writes such keys as well, and other programs say more of a cookie."""
    cookie = {"name": "a", "value": "b", "domain": "a.b", "hostOnly": True}
    origin: dict[str, object] = {"origin": "https://a.b", "localStorage": [], "indexedDB": [], "opfs": None}
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"cookies": [cookie], "origins": [origin], "credentials": []}))
    assert len(read_storage_state(file).origins) == 1
