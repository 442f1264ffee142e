"""Looking names up: once for all who ask, for a short time, and never for long."""

from __future__ import annotations

import asyncio

import pytest

from pagemill.browser import name_lookup
from pagemill.browser.name_lookup import KEPT_S, NameLookup, resolve


class Resolver:
    """Knows some names, and counts what it is asked."""

    def __init__(self, **known: tuple[str, ...]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.now_s = 0.0
        self.lookup = NameLookup(self.resolve, lambda: self.now_s)

    async def resolve(self, host: str) -> tuple[str, ...]:
        """As a resolver answers."""
        self.asked.append(host)
        await asyncio.sleep(0)
        if host not in self.known:
            raise OSError("not known")
        return self.known[host]


async def test_an_answer_is_kept_for_a_while() -> None:
    """Also that nobody knows the name; then it is asked again."""
    resolver = Resolver(shop=("10.0.0.1",))
    assert resolver.lookup.remembered("shop") is None
    for _ in range(2):
        assert await resolver.lookup.addresses("shop") == ("10.0.0.1",)
        assert await resolver.lookup.addresses("other") == ()
    assert resolver.lookup.remembered("shop") == ("10.0.0.1",)
    assert resolver.asked == ["shop", "other"]
    resolver.now_s = KEPT_S
    resolver.known["shop"] = ("203.0.113.7",)
    assert await resolver.lookup.addresses("shop") == ("203.0.113.7",)


async def test_all_who_ask_at_once_get_the_same_answer() -> None:
    """And one who leaves takes it from nobody."""
    resolver = Resolver(shop=("10.0.0.1",))
    first, *others = (asyncio.ensure_future(resolver.lookup.addresses("shop")) for _ in range(4))
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [("10.0.0.1",)] * 3
    assert resolver.asked == ["shop"]


async def test_a_resolver_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name counts as unknown, and the log tells of it."""

    async def never(_host: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(name_lookup, "WITHIN_S", 0.01)
    assert await NameLookup(never).addresses("shop") == ()
    assert "look up where shop leads" in capsys.readouterr().out


async def test_names_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first: a shop may have as many subdomains as it likes."""
    monkeypatch.setattr(name_lookup, "_MAX_KEPT", 3)
    resolver = Resolver()
    for number in range(5):
        await resolver.lookup.addresses(str(number))
    assert [resolver.lookup.remembered(str(number)) for number in range(5)] == [None, None, (), (), ()]


async def test_the_machine_itself_is_asked() -> None:
    """Its hosts file has this name."""
    assert set(await resolve("localhost")) <= {"127.0.0.1", "::1"}
    assert await NameLookup().addresses("no..name") == ()
