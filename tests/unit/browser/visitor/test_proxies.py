"""Each context has the next proxy; one that fails rests, and none is told by its address."""

from __future__ import annotations

import pytest

from pagemill.browser.visitor.proxies import REST_MAX_S, REST_S, Proxies
from pagemill.browser.visitor.proxy_trouble import proxy_trouble
from pagemill.config.visitor.secrets import ProxyAddress
from pagemill.config.visitor.visitor import Visitor
from pagemill.errors import DeadlineExceeded, PageLost, VisitFailed

NAMES = ("A", "B", "C")


class Watch:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    """A clock at 0."""
    return Watch()


@pytest.fixture
def proxies(watch: Watch) -> Proxies:
    """Three proxies."""
    return Proxies({name: ProxyAddress.parse(f"http://u:secret@{name}.test:1") for name in NAMES}, watch)


def taken(proxies: Proxies, times: int, names: tuple[str, ...] = NAMES) -> str:
    """The names of the next ones."""
    found = [proxies.take(Visitor(proxies=names)) for _ in range(times)]
    return "".join(proxy.name if proxy is not None else "-" for proxy in found)


def test_each_context_has_the_next_proxy(proxies: Proxies) -> None:
    """Round and round, for each platform's list by itself; none without a list."""
    assert taken(proxies, 5) == "ABCAB"
    assert taken(proxies, 3, ("C", "A")) == "CAC"
    assert taken(proxies, 1) == "C"
    assert proxies.take(Visitor()) is None


def test_one_that_fails_rests_longer_each_time_and_comes_back(proxies: Proxies, watch: Watch) -> None:
    """Twice as long after each failure in a row, up to a limit; what works ends that."""
    rest_s = REST_S
    for _ in range(8):
        proxies.failed("B", "cannot be reached")
        proxies.failed("B", "what fails while it rests is no failure of its own")
        assert "B" not in taken(proxies, 6)
        watch.now_s += min(rest_s, REST_MAX_S) - 1
        assert "B" not in taken(proxies, 6)
        watch.now_s += 1
        assert taken(proxies, 6).count("B") == 2
        rest_s *= 2
    proxies.worked("B")
    proxies.failed("B", "cannot be reached")
    watch.now_s += REST_S
    assert taken(proxies, 6).count("B") == 2


def test_when_all_rest_each_is_tried_in_turn_and_the_reasons_are_told(proxies: Proxies, watch: Watch) -> None:
    """So that work goes on the moment that one of them works again."""
    for name in NAMES:
        proxies.failed(name, f"fails as {name} does")
        watch.now_s += 1
    assert not proxies.any_awake(NAMES)
    assert taken(proxies, 3) == "ABC"
    assert proxies.trouble(NAMES) == "A (fails as A does), B (fails as B does), C (fails as C does)"
    proxies.worked("A")
    assert proxies.any_awake(NAMES)
    assert proxies.trouble(NAMES) == "B (fails as B does), C (fails as C does)"


def test_the_account_is_told_by_name(proxies: Proxies, capsys: pytest.CaptureFixture[str]) -> None:
    """How often each was taken and failed, for how long it rests and why; addresses and passwords nowhere."""
    taken(proxies, 4)
    proxies.failed("B", "cannot be reached")
    a, b, c = proxies.states()
    assert (a.name, a.taken, a.failures, a.resting_s, a.reason) == ("A", 2, 0, 0.0, "")
    assert (b.name, b.taken, b.failures, b.resting_s, b.reason) == ("B", 1, 1, REST_S, "cannot be reached")
    assert c.taken == 1
    told = f"{proxies.states()} {proxies.take(Visitor(proxies=NAMES))!r} {capsys.readouterr()}"
    assert "Proxy Rests" in told
    assert "secret" not in told
    assert ".test" not in told


NOBODY = ProxyAddress.parse("http://127.0.0.1:1")
TROUBLE = {
    "refused by the proxy": (None, True, "refuses user and password"),
    "a good visit": (None, False, ""),
    "no connection": (VisitFailed("net::ERR_PROXY_CONNECTION_FAILED"), False, "cannot be reached"),
    "no tunnel": (VisitFailed("net::ERR_TUNNEL_CONNECTION_FAILED"), False, "opens no tunnel"),
    "a time-out behind a proxy that is gone": (DeadlineExceeded("loading", 1), False, "cannot be reached"),
    "another error behind one that is gone": (VisitFailed("net::ERR_EMPTY_RESPONSE"), False, "cannot be reached"),
    "a crash": (PageLost("Target crashed"), False, ""),
    "the page's own fault": (VisitFailed("the page answered with something else"), False, ""),
}


@pytest.mark.parametrize(("error", "refused", "expected"), TROUBLE.values(), ids=TROUBLE)
async def test_the_proxy_is_blamed_for_its_own_faults(error: Exception | None, refused: bool, expected: str) -> None:
    """By the name of the error, or because it takes no connection."""
    assert await proxy_trouble(error, NOBODY, refused=refused) == expected
