"""Which hosts may be visited: the rules, and the spellings by which a URL tries to get past them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.hosts import HostRule, HostRules
from pagemill.config.web_address import LOCALHOST, HostAndPort, host_and_port_of

LISTED = ["www.shop.com", "*.shop.com", "127.0.0.1", "[::1]", "localhost:8900", "쇼핑.한국", "fass.de", "k.com"]
RULES = HostRules(LISTED)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("www.shop.com", HostRule("www.shop.com")),
        ("  WWW.Shop.COM ", HostRule("www.shop.com")),
        ("www.shop.com.", HostRule("www.shop.com")),
        ("*.shop.com", HostRule("shop.com", subdomains=True)),
        ("*.shop.com:8443", HostRule("shop.com", subdomains=True, port=8443)),
        ("localhost", HostRule("localhost")),
        ("127.0.0.1:8900", HostRule("127.0.0.1", port=8900)),
        ("::1", HostRule("::1")),
        ("[0:0::1]:80", HostRule("::1", port=80)),
        ("my_shop.internal", HostRule("my_shop.internal")),
        ("쇼핑.한국", HostRule("xn--hp4bo76a.xn--3e0b707e")),
        ("10.0.0.0/8", HostRule("10.0.0.0/8", network=IPv4Network("10.0.0.0/8"))),
        (" FC00::/7 ", HostRule("fc00::/7", network=IPv6Network("fc00::/7"))),
    ],
)
def test_a_rule_is_read(text: str, rule: HostRule) -> None:
    """A name, a wildcard or an address, with a port or without, or a network."""
    assert HostRule.parse(text) == rule


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "such as www.shop.com"),
        ("*", "such as www.shop.com"),
        ("https://www.shop.com", "without scheme and path"),
        ("www.shop.com/p", "without scheme and path"),
        ("www.shop.com\\p", "without scheme and path"),
        ("user:secret@www.shop.com", "write the host alone"),
        ("www.shop.com:", "1 to 65535"),
        ("www.shop.com:0", "1 to 65535"),
        ("www.shop.com:65536", "1 to 65535"),
        ("www.shop.com:٨٠", "1 to 65535"),
        ("www.shop..com", "such as www.shop.com"),
        ("-shop.com", "such as www.shop.com"),
        ("shop com", "such as www.shop.com"),
        ("a" * 254, "such as www.shop.com"),
        ("127.1", "four plain decimal numbers"),
        ("2130706433", "four plain decimal numbers"),
        ("0x7f000001", "four plain decimal numbers"),
        ("0177.0.0.1", "four plain decimal numbers"),
        ("[127.0.0.1]", "such as www.shop.com"),
        ("[www.shop.com]", "such as www.shop.com"),
        ("[::1]80", "such as www.shop.com"),
        ("[::1", "such as www.shop.com"),
        ("fe80::1%eth0", "such as www.shop.com"),
        ("*.com", "*.shop.com"),
        ("*.127.0.0.1", "*.shop.com"),
        ("10.0.0.1/8", "its first address"),
        ("10.0.0.0/33", "its first address"),
        ("10.0.0.0/8:80", "without scheme and path"),
        ("faß.de", "xn--"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_remedy(text: str, remedy: str) -> None:
    """Also what a browser would read as another host than the one that is written."""
    with pytest.raises(ValueError, match=r".") as caught:
        HostRule.parse(text)
    assert remedy in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.shop.com",
        "https://www.shop.com/p/1?x=a@b#c",
        "HTTPS://WWW.SHOP.COM:8443/",
        "https://www.shop.com./p/1",
        "  https://www.shop.com/p/1 ",
        "https://a.b.shop.com/",
        "http://127.0.0.1:8900/",
        "http://127.0.0.1:/",
        "http://[::1]:80/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://localhost:8900/p",
        "https://쇼핑.한국/상품/1",
        "https://xn--hp4bo76a.xn--3e0b707e/",
        "https://www.shop.com/a\\b",
        "https://www.shop.com/@someone",
    ],
)
def test_a_listed_host_may_be_visited(url: str) -> None:
    """In any of the spellings that all readers of URLs take alike."""
    assert RULES.refusal(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not an http or https URL"),
        ("www.shop.com/p", "not an http or https URL"),
        ("//www.shop.com/p", "not an http or https URL"),
        ("ftp://www.shop.com/", "not an http or https URL"),
        ("file:///etc/passwd", "not an http or https URL"),
        ("data:text/html,x", "not an http or https URL"),
        ("javascript:alert(1)//www.shop.com", "not an http or https URL"),
        ("view-source:https://www.shop.com/", "not an http or https URL"),
        ("httpſ://www.shop.com/", "not an http or https URL"),
        ("http:www.shop.com", "not an http or https URL"),
        ("http:/www.shop.com", "not an http or https URL"),
        ("http:\\\\www.shop.com", "not an http or https URL"),
        ("http:///www.shop.com", "without a host"),
        ("http://:80/", "more than one way"),
        ("http://shop.com/", "host shop.com is not one"),
        ("http://evilshop.com/", "host evilshop.com is not one"),
        ("http://www.shop.com.evil.com/", "host www.shop.com.evil.com is not one"),
        ("http://localhost/", "host localhost is not one"),
        ("http://localhost:8901/", "host localhost is not one"),
        ("http://10.0.0.1/", "host 10.0.0.1 is not one"),
        ("http://169.254.169.254/latest/meta-data", "host 169.254.169.254 is not one"),
        ("http://[::ffff:127.0.0.1]/", "is not one"),
        ("http://[::]/", "host :: is not one"),
        ("http://127.1/", "more than one way"),
        ("http://2130706433/", "more than one way"),
        ("http://0x7f.0.0.1/", "more than one way"),
        ("http://0x7f000001/", "more than one way"),
        ("http://0177.0.0.1/", "more than one way"),
        ("http://127.0.0.1../", "more than one way"),
        ("http://127%2e0.0.1/", "more than one way"),
        ("http://127。0。0。1/", "more than one way"),
        ("http://１２７.0.0.1/", "more than one way"),
        ("http://[::1%25lo]/", "more than one way"),
        ("http://::1/", "more than one way"),
        ("http://[::1]x/", "more than one way"),
        ("http://www.shop.com..", "more than one way"),
        ("http://www.shop.com:٨٠/", "more than one way"),
        ("http://www.shop.com:99999/", "more than one way"),
        ("http://www.shop.com:0/", "more than one way"),
        ("http://www.shop.com:80:80/", "more than one way"),
        ("http://www.shop.com%2eevil.com/", "more than one way"),
        ("http://www.shop.com%00.evil.com/", "more than one way"),
        ("http://faß.de/", "more than one way"),
        ("http://\u212a.com/", "more than one way"),
        ("http://\u3000www.shop.com/", "more than one way"),
        ("http://www.shop\u00ad.com/", "more than one way"),
        ("http://쇼핑\u200d.한국/", "more than one way"),
        ("http://\ud800.shop.com/", "control character"),
        ("http://www.shop.com \t/", "control character"),
        ("http://ev\til.com/", "control character"),
        ("http://www.shop.com\n.evil.com/", "control character"),
        ("\x01http://www.shop.com/", "control character"),
        ("http://evil.com\\.www.shop.com/", "backslash"),
        ("http://evil.com\\@www.shop.com/", "backslash"),
        ("http://www.shop.com\\@evil.com/", "backslash"),
        ("http://www.shop.com@evil.com/", "user name"),
        ("http://user:secret@www.shop.com/", "user name"),
        ("http://@www.shop.com/", "user name"),
        ("http://evil.com?@www.shop.com/", "host evil.com is not one"),
        ("http://evil.com#@www.shop.com/", "host evil.com is not one"),
        ("http://user:sec/ret@www.shop.com/", "more than one way"),
    ],
)
def test_everything_else_is_refused(url: str, reason: str) -> None:
    """Hosts that are not listed, and URLs that Python and a browser might read as different hosts."""
    refusal = RULES.refusal(url)
    assert refusal is not None
    assert reason in refusal
    assert "sec" not in refusal


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("http://10.1.2.3/", False),
        ("http://10.1.2.3:8080/", False),
        ("http://11.0.0.1/", True),
        ("http://[::ffff:10.1.2.3]/", True),
        ("http://[fd00::1]/", False),
        ("http://www.shop.com/", True),
    ],
)
def test_a_network_allows_its_addresses(url: str, refused: bool) -> None:
    """At any port, in the plain spelling, and no name."""
    assert (HostRules(["10.0.0.0/8", "fc00::/7"]).refusal(url) is not None) is refused


@pytest.mark.parametrize(
    ("hosts", "port", "addresses", "private"),
    [
        ([], 80, ("203.0.113.7", "2606:4700::1"), None),
        ([], 80, (), None),
        ([], 80, ("203.0.113.7", "10.0.0.5"), "10.0.0.5"),
        ([], 80, ("::ffff:127.0.0.1",), "::ffff:127.0.0.1"),
        (["10.0.0.5"], 80, ("10.0.0.5",), None),
        (["10.0.0.5:81"], 80, ("10.0.0.5",), "10.0.0.5"),
        (["10.0.0.5:81"], 81, ("10.0.0.5", "::ffff:10.0.0.5"), None),
        (["10.0.0.0/8"], 80, ("10.0.0.5",), None),
        (["10.0.0.0/8"], 80, ("127.0.0.1",), "127.0.0.1"),
        (["localhost"], 80, LOCALHOST, None),
        (["localhost:81"], 80, LOCALHOST, "127.0.0.1"),
        (["localhost"], 80, ("127.0.0.2",), "127.0.0.2"),
        (["fd00::5"], 80, ("fd00:0::5",), None),
    ],
)
def test_a_name_may_lead_to_private_addresses_that_are_listed(
    hosts: list[str], port: int, addresses: tuple[str, ...], private: str | None
) -> None:
    """One that is not, among however many, is told with what to do."""
    refusal = HostRules(["shop.test", *hosts]).refusal_of(HostAndPort("shop.test", port), addresses)
    told = f"host shop.test resolves to the private address {private}: list it in hosts to allow it"
    assert refusal == (None if private is None else told)


@pytest.mark.parametrize(
    ("hosts", "host", "port", "allowed"),
    [
        (["storefront"], "storefront", 8900, True),
        (["storefront:8900"], "storefront", 8900, True),
        (["storefront:8900"], "storefront", 80, False),
        (["*.shops.internal"], "one.shops.internal", 80, True),
        (["shop.test"], "storefront", 80, False),
        (["shop.test"], "shop.test", 80, False),
    ],
)
def test_a_name_of_the_own_network_lists_its_addresses(hosts: list[str], host: str, port: int, allowed: bool) -> None:
    """A container's, or one below `internal`: who lists it means that it is there."""
    refusal = HostRules(hosts).refusal_of(HostAndPort(host, port), ["172.18.0.3"])
    assert (refusal is None) == allowed


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://cdn.example/x", False),
        ("https://203.0.113.7/x", False),
        ("http://127.0.0.1:8900/x", False),
        ("http://127.0.0.1:6379/x", True),
        ("http://10.0.0.1/", True),
        ("http://[::1]/", True),
        ("http://localhost:6379/", True),
        ("http://localhost:8900/", False),
        ("http://shop.localhost/", True),
        ("data:,x", False),
        ("blob:http://127.0.0.1/1", False),
        ("https://cdn.example", False),
    ],
)
def test_data_may_come_from_anywhere_but_private_addresses(url: str, refused: bool) -> None:
    """That are not listed; asked twice, the answer is the same."""
    rules = HostRules(["www.shop.com", "127.0.0.1:8900"])
    assert [rules.refusal_of_data(url) is not None for _ in range(2)] == [refused] * 2


def test_what_is_remembered_of_origins_is_bounded() -> None:
    """A page may ask as many hosts as it likes."""
    rules = HostRules(["www.shop.com"])
    for number in range(2_000):
        assert rules.refusal_of_data(f"https://{number}.example/") is None
        assert rules.refusal_of_data(f"data:text/plain,{'x' * 300}{number}/") is None
    assert rules.refusal_of_data("http://127.0.0.1/") is not None
    assert len(rules._known) <= 500
    assert max(map(len, rules._known)) < 300


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://shop.test/", ()),
        ("http://127.0.0.2/", ("127.0.0.2",)),
        ("http://localhost/", LOCALHOST),
        ("http://a.localhost./", LOCALHOST),
    ],
)
def test_some_places_have_addresses_of_their_own(url: str, addresses: tuple[str, ...]) -> None:
    """Which nobody needs to look up."""
    place = host_and_port_of(url)
    assert isinstance(place, HostAndPort)
    assert place.fixed_addresses == addresses


def test_no_rules_allow_nothing() -> None:
    """Public addresses are refused like private ones."""
    assert HostRules([]).refusal("https://www.shop.com/") is not None


NASTY = st.sampled_from(
    [*"/\\?#@:.[]%*-_ \t\n\x00<>|^1xX0", "//", "。", "．", "１", "ß", "ſ", "\u212a", "\u200d", "%2e", "evil.com"]
)
PIECE = st.one_of(NASTY, st.sampled_from(["www.shop.com", "127.0.0.1", "localhost", "[::1]", ":8900", "http://", "a"]))


@given(st.lists(PIECE, max_size=6))
def test_an_allowed_url_starts_with_a_listed_host_as_it_is_written(pieces: list[str]) -> None:
    """Nothing is allowed by translation: whoever looks at the text sees a listed host between `//` and the next end."""
    url = "http://" + "".join(pieces)
    if RULES.refusal(url) is not None:
        return
    authority = url.strip(" ")[len("http://") :]
    for end in "/?#":
        authority = authority.split(end)[0]
    host = authority.lower()
    if not host.endswith("]"):
        host, _, port = host.partition(":") if not host.startswith("[") else host.rpartition(":")
        assert port == "" or port.isdecimal()
    host = host.removesuffix(".")
    assert host in ("www.shop.com", "127.0.0.1", "[::1]", "localhost") or host.endswith(".shop.com")


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    """Neither rules nor URLs can make the check itself fail."""
    for url in (text, "https://" + text, "https://www.shop.com" + text):
        answer = RULES.refusal(url)
        assert answer is None or answer
    try:
        rule = HostRule.parse(text)
    except ValueError:
        return
    assert rule.host.isascii()


@given(st.ip_addresses(v=4), st.integers(min_value=1, max_value=65535))
def test_an_ipv4_address_is_allowed_only_when_listed(address: IPv4Address, port: int) -> None:
    """Any address, whatever network it belongs to."""
    listed = HostRules([f"{address}:{port}"])
    assert listed.refusal(f"http://{address}:{port}/") is None
    assert listed.refusal(f"http://{address}:{port % 65535 + 1}/") is not None
    assert (RULES.refusal(f"http://{address}/") is None) == (str(address) == "127.0.0.1")


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_compared_by_value(address: IPv6Address) -> None:
    """However many zeros a rule or a URL writes out."""
    assert HostRules([str(address)]).refusal(f"http://[{address.exploded}]/") is None
    assert HostRules([f"[{address.exploded}]"]).refusal(f"http://[{address}]:81/") is None
