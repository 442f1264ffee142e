"""Keeps one page on its platform's hosts, redirects and frames included, and away from media.

Chromium pauses a request for one listener only, so the answers that `page_news` wants are paused here too.

Chromium pauses every request for a document, and every request of a blocked kind that no launch flag already stops; the
answer to a navigation is paused too, because nobody else learns its headers. Where the visitor has extra headers, the
requests to its own hosts are paused to be given them. Nothing else costs a round trip. Refusing
means `Aborted`: the page stays where it is, no error page is loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Coroutine
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.own_headers import OwnHeaders
from pagemill.browser.page_news import PageNews
from pagemill.browser.sign_in import SignIn
from pagemill.config.hosts import HostRules
from pagemill.config.section import ResourceKind

_KINDS: dict[ResourceKind, str] = {"image": "Image", "media": "Media", "font": "Font"}
_MAX_HEADER = 100


class Firewall:
    """The rules of one page.

    `refusal` says why its last navigation was refused, `None` when it was not; `retry_after` is the header of that name
    in the last answer, or empty.
    """

    def __init__(
        self,
        rules: HostRules,
        news: PageNews | None = None,
        headers: OwnHeaders | None = None,
        sign_in: SignIn | None = None,
    ) -> None:
        self._rules = rules
        self.news = news or PageNews((), dialogs=False)
        self._headers = headers or OwnHeaders((), {})
        self._sign_in = sign_in or SignIn(rules)
        self._blocked: frozenset[str] = frozenset()
        self._session: CDPSession | None = None
        self._main_frame = ""
        self._answers: set[asyncio.Task[None]] = set()
        self.refusal: str | None = None
        self.retry_after = ""

    async def attach(self, session: CDPSession, block: Collection[ResourceKind], main_frame: str) -> None:
        """Takes hold of a page that has not been anywhere yet.

        Args:
            session: of the page; the firewall lives as long as it does.
            block: kinds of resource that are refused here because no launch flag refuses them.
            main_frame: the page's main frame, whose id is that of the page's target.
        """
        self._session = session
        self._main_frame = main_frame
        session.on("Fetch.requestPaused", self._on_paused)
        session.on("Fetch.authRequired", self._on_sign_in)
        self._blocked = frozenset(_KINDS[kind] for kind in block)
        patterns = [{"resourceType": "Document"}, *({"resourceType": kind} for kind in sorted(self._blocked))]
        patterns += [*self._headers.fetch_patterns(), *self.news.fetch_patterns()]
        await self.news.listen(session)
        await session.send("Fetch.enable", {"patterns": patterns, "handleAuthRequests": self._sign_in.is_wanted})

    async def ask(self, method: str) -> dict[str, Any]:
        """Sends a command of Chromium's protocol over the session that is open anyway; not bounded in time."""
        assert self._session is not None
        answer: dict[str, Any] = await self._session.send(method)
        return answer

    def reset(self) -> None:
        """Forgets the last refusal and the last answer; called before each use."""
        self.refusal = None
        self.retry_after = ""
        self.news.reset()
        self._sign_in.reset()

    @property
    def proxy_refused(self) -> bool:
        """Whether the proxy has refused user and password since `reset`."""
        return self._sign_in.proxy_refused

    def _on_paused(self, event: dict[str, Any]) -> None:
        self._soon(self._answer(event))

    def _on_sign_in(self, event: dict[str, Any]) -> None:
        answer = self._sign_in.answer(event, is_navigation=self._is_navigation(event))
        self._soon(self._answer_question(event["requestId"], answer))

    def _soon(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(answering)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer_question(self, request: str, answer: dict[str, str]) -> None:
        assert self._session is not None
        with contextlib.suppress(PlaywrightError):  # the request or the page has gone
            said = {"requestId": request, "authChallengeResponse": answer}
            await self._session.send("Fetch.continueWithAuth", said)

    async def _answer(self, event: dict[str, Any]) -> None:
        assert self._session is not None
        request: dict[str, Any] = {"requestId": event["requestId"]}
        is_answer = "responseStatusCode" in event or "responseErrorReason" in event
        refusal = None if is_answer else self._judge(event)
        is_navigation = self._is_navigation(event)
        try:
            if is_answer:
                if is_navigation:
                    self.retry_after = _header(event, "retry-after")
                given = await self._heard(event)
                if given is None:
                    await self._session.send("Fetch.continueRequest", request)
                elif "fail" in given:
                    await self._session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
                else:
                    await self._session.send("Fetch.fulfillRequest", {**request, **given})
            elif refusal is None:
                if (headers := self._headers.added_to(event)) is not None:
                    request["headers"] = headers
                if is_navigation:  # a `False` would take the answers of other requests away from `news`
                    request["interceptResponse"] = True
                await self._session.send("Fetch.continueRequest", request)
            else:
                await self._session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
        except PlaywrightError:
            pass  # the request, its frame or the whole page has gone: nothing is left to answer

    def _is_navigation(self, event: dict[str, Any]) -> bool:
        return event.get("resourceType") == "Document" and event.get("frameId") == self._main_frame

    async def _heard(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Lets `news` hear an answer that it wants; how the page gets it, where not as it is."""
        if "responseErrorReason" in event or not self.news.is_meant(event):
            return None
        return await self.news.hear(event)

    def _judge(self, event: dict[str, Any]) -> str | None:
        if event.get("resourceType") in self._blocked:
            return "blocked kind of resource"
        if event.get("resourceType") != "Document":
            return None
        refusal = self._rules.refusal(event["request"]["url"])
        if refusal is not None and event.get("frameId") == self._main_frame:
            self.refusal = refusal
        return refusal


def _header(event: dict[str, Any], name: str) -> str:
    for header in event.get("responseHeaders", ()):
        if header["name"].lower() == name:
            return str(header["value"])[:_MAX_HEADER]
    return ""
