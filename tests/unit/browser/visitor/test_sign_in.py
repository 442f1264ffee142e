"""Passwords are said to whom they are for, once for each question."""

from __future__ import annotations

from typing import Any

from pagemill.browser.visitor.sign_in import SignIn
from pagemill.config.hosts import HostRules
from pagemill.config.visitor.secrets import Credentials

RULES = HostRules(["www.shop.com"])
SHOP, PROXY = Credentials("keeper", "sesame"), Credentials("u", "p")


def question(origin: str, source: str = "Server", request: str = "1") -> dict[str, Any]:
    """An event `Fetch.authRequired`."""
    return {"requestId": request, "authChallenge": {"source": source, "origin": origin}}


def said(sign_in: SignIn, event: dict[str, Any], *, is_navigation: bool = True) -> str:
    """The password that is answered, or what else is."""
    answer = sign_in.answer(event, is_navigation=is_navigation)
    return answer.get("password", answer["response"])


def test_each_password_goes_to_whom_it_is_for() -> None:
    """The shop's to the platform's hosts, the proxy's to the proxy, none to others; once for each question."""
    sign_in = SignIn(RULES, SHOP, PROXY)
    assert said(sign_in, question("http://proxy.test:1", "Proxy")) == "p"
    assert said(sign_in, question("https://www.shop.com")) == "sesame"
    assert said(sign_in, question("https://www.shop.com")) == "CancelAuth"
    assert said(sign_in, question("https://tracker.test", request="2")) == "CancelAuth"
    assert not sign_in.proxy_refused
    sign_in.reset()
    assert said(sign_in, question("https://www.shop.com")) == "sesame"


def test_a_proxy_refuses_when_it_asks_again_for_the_page_itself() -> None:
    """What it keeps back of others' scripts is no refusal."""
    sign_in = SignIn(RULES, None, PROXY)
    for _ in range(2):
        said(sign_in, question("http://proxy.test:1", "Proxy"), is_navigation=False)
    assert not sign_in.proxy_refused
    for _ in range(2):
        said(sign_in, question("http://proxy.test:1", "Proxy", "2"))
    assert sign_in.proxy_refused
    sign_in.reset()
    assert not sign_in.proxy_refused


def test_nobody_is_asked_without_passwords() -> None:
    """Then Chromium need not ask at all."""
    assert not SignIn(RULES).is_wanted
    assert SignIn(RULES, SHOP).is_wanted
