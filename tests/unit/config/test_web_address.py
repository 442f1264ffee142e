"""What a usable http or https address is: the same, whoever is handed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from pydantic import ValidationError

from pagemill.config.alert_channels import AlertChannel
from pagemill.config.mistakes import Mistake
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import ProxyAddress
from pagemill.config.web_address import HostAndPort, fault_of, host_and_port_of, is_whole_address, read_web_address
from pagemill.control_room.api.draft_models import DraftBody
from pagemill.control_room.api.run_models import TryBody
from pagemill.control_room.control.drafts import refusal_of
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import AskedPage, preliminary
from pagemill.errors import UsageError
from pagemill.intake.row_reader import Numbers, RowReader
from pagemill.intake.rows import RawRow

PLATFORM = Platform.model_validate(
    {"platform": "shop", "hosts": ["*.shop.test"], "extract": {"strategy": "dom", "fields": {"name": "h1"}}}
)

USABLE = {
    "https://www.shop.test/p/1?a=b#c": HostAndPort("www.shop.test", 443),
    "HTTPS://WWW.Shop.TEST": HostAndPort("www.shop.test", 443),
    "http://www.shop.test:8900/p": HostAndPort("www.shop.test", 8900),
    "http://www.shop.test:/p": HostAndPort("www.shop.test", 80),
    "http://[2001:db8::1]:8900/p": HostAndPort("2001:db8::1", 8900),
    "http://쇼핑.한국/상품": HostAndPort("쇼핑.한국".encode("idna").decode(), 80),
    "https://www.shop.test/a\\b": HostAndPort("www.shop.test", 443),
    "https://www.shop.test/" + "p" * 7900: HostAndPort("www.shop.test", 443),
}

HOSTILE = {
    "": "not an http or https URL",
    "nonsense": "not an http or https URL",
    "www.shop.test/p": "not an http or https URL",
    "//www.shop.test/p": "not an http or https URL",
    "ftp://www.shop.test/p": "not an http or https URL",
    "javascript:alert(1)": "not an http or https URL",
    "https:/www.shop.test/p": "not an http or https URL",
    "https:///p/1": "without a host",
    "https://?p=1": "without a host",
    "https://www.shop.test/a b": "space or a control character",
    "https://www.shop .test/p": "space or a control character",
    "https://www.shop.test/a\tb": "space or a control character",
    "https://www.shop\n.test/p": "space or a control character",
    "https://www.shop.test/p\x00": "space or a control character",
    "https://www.shop.test/\x85x": "space or a control character",
    "https://www.shop.test/\u2028x": "space or a control character",
    "https://www.shop.test/\ud800": "space or a control character",
    "https://evil.com\\.shop.test/p": "a backslash",
    "https:\\\\www.shop.test/p": "not an http or https URL",
    "https://me@www.shop.test/p": "a user name",
    "https://me:hunter2@www.shop.test/p": "a user name",
    "https://www.shop.test:0/p": "more than one way",
    "https://www.shop.test:99999/p": "more than one way",
    "https://www.shop.test:-1/p": "more than one way",
    "https://www.shop.test:٨٠/p": "more than one way",
    "https://2001:db8::1/p": "more than one way",
    "https://[2001:db8::1/p": "more than one way",
    "https://[fe80::1%25eth0]/p": "more than one way",
    "https://0x7f.1/p": "more than one way",
    "https://faß.test/p": "more than one way",
    "https://www%2eshop.test/p": "more than one way",
    "https://www.shop.test/" + "p" * 8000: "longer than 8000 characters",
}


def of_a_row(url: str) -> str:
    with pytest.raises(ValueError) as caught:
        RowReader(PLATFORM, lambda _: None).read(RawRow(1, {"id": "A", "url": url}), Numbers(".", ",", lambda _: None))
    return str(caught.value)


def of_a_draft(url: str) -> str:
    with pytest.raises(UsageError) as caught:
        preliminary("shop", [AskedPage(url, PageRole.ON_SALE)], {})
    return str(caught.value)


def of_the_api(url: str) -> str:
    try:
        DraftBody(platform="shop", urls=[url])
        TryBody(platform="shop", url=url)
    except ValidationError as error:
        return str(error)
    return refusal_of(url, {})


@pytest.mark.parametrize(("url", "place"), USABLE.items(), ids=lambda each: str(each)[:40])
def test_what_every_reader_takes_alike_is_usable(url: str, place: HostAndPort) -> None:
    """With its host as rules compare it, and the port that it leads to."""
    assert fault_of(url) == ""
    assert host_and_port_of(url) == place


@pytest.mark.parametrize(("url", "reason"), HOSTILE.items(), ids=lambda each: repr(each)[:40])
def test_everything_else_is_refused_with_what_to_write(url: str, reason: str) -> None:
    """In the end of the sentence, whatever it is; and never a password."""
    fault = fault_of(url)
    assert reason in fault
    assert any(remedy in fault for remedy in (": write ", ": leave out "))
    assert "hunter2" not in fault


@pytest.mark.parametrize("url", [url for url in HOSTILE if url])
@pytest.mark.parametrize("place", [of_a_draft, of_the_api, of_a_row], ids=lambda each: each.__name__)
def test_who_is_handed_one_refuses_the_same(place: Callable[[str], str], url: str) -> None:
    """Rows of a catalogue, drafts by command and over HTTP."""
    told = place(url)
    assert any(each in told for each in (HOSTILE[url], "should have at most 8000 characters", "unicode string"))


SECRET: Mapping[str, str] = {
    "http://user:hunter2@ho st/": "host can be read in more than one way",
    "http://user:hunter2@hook.test:0/": "host can be read in more than one way",
    "http://user:hunter2@hook.test:99999/": "host can be read in more than one way",
    "http://user:hunter2@/": "without a host",
    "http://user:hunter2@evil.com\\hook.test/": "a backslash",
    "http://user:hunter2@hook.test/\x7f": "a control character",
    "gopher://user:hunter2@hook.test/": "not an http",
}


@pytest.mark.parametrize("url", SECRET)
@pytest.mark.parametrize("check", [AlertChannel(kind="webhook").check_address, ProxyAddress.parse])
def test_addresses_that_may_sign_in_are_judged_the_same(check: Callable[[str], object], url: str) -> None:
    """Those of webhooks and proxies, of which a message repeats nothing."""
    with pytest.raises(Mistake) as caught:
        check(url)
    assert SECRET[url] in caught.value.message
    assert "hunter2" not in str(caught.value) and "hook.test" not in caught.value.message
    assert caught.value.remedy.startswith("write ")


def test_a_user_is_taken_where_one_may_stand() -> None:
    """Up to the last `@`, as everybody reads it."""
    assert read_web_address("http://u:p@ss@hook.test/x", may_sign_in=True) == HostAndPort("hook.test", 80)
    AlertChannel(kind="slack").check_address("HTTPS://Hooks.Slack.com/services/T/B/X")


@pytest.mark.parametrize("text", ["https://a.test/x", "HTTP://a.test", "//a.test/x"])
def test_a_whole_address_names_its_host(text: str) -> None:
    """Whatever case its scheme has: a foreign host in capitals is found when the file is read."""
    assert is_whole_address(text)
    assert not any(is_whole_address(each) for each in ("/x", "x", "?x=//a.test", "httpx://a.test"))
    extract = {"strategy": "http", "fields": {"name": "name"}, "url": "HTTPS://evil.example/{id}"}
    with pytest.raises(ValidationError, match=r"evil\.example is not one"):
        Platform.model_validate({"platform": "shop", "hosts": ["www.shop.test"], "extract": extract})
