"""Keeps one page on its platform's hosts (redirects and frames included), refuses media, and makes the page ask the
shop instead of the cache. It also limits what documents may store, and sees when one has gone and is garbage.

Requests are of three kinds. Documents may only come from the platform's hosts, and not from a private address that is
not listed. Data, scripts and styles may come from any public address; Chromium itself keeps them from private ones
(`address_spaces`), and those that are paused here are also refused before they connect. The third kind serves no visit:
beacons, pings and reports may go to the platform's hosts only, prefetches nowhere.

Chromium pauses a request for one listener only, so the answers that `page_news` wants are paused here too.

Paused are: requests for documents and data, so that the shop is asked and not the cache (`fresh_request`); requests of
blocked kinds that no launch flag stops; the answer to a navigation, because only here its headers can be read; and
requests to the platform's hosts that get extra headers. Nothing else costs a round trip: scripts and styles come from
the cache. A refused request fails with `Aborted`: the page stays where it is, and no error page is loaded.

Documents that speculation rules load ahead are never paused. A launch flag prevents them (`flags`). If one comes
nevertheless, it is recognised when the page shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Collection, Coroutine
from typing import TYPE_CHECKING, Any

from pagemill.browser.fresh_request import fresh_headers
from pagemill.browser.name_lookup import NameLookup
from pagemill.browser.page_news import MAX_POSTED, Asker, PageNews
from pagemill.browser.visitor.own_headers import OwnHeaders
from pagemill.browser.visitor.sign_in import SignIn
from pagemill.config.hosts import HostRules
from pagemill.config.section import ResourceKind
from pagemill.config.web_address import host_and_port_of
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

_KINDS: dict[ResourceKind, str] = {"image": "Image", "media": "Media", "font": "Font"}
_ASKED = ("Document", "XHR", "Fetch", "Other")
"""Kinds for which the shop is asked at every visit. `Other` are preloads for a fetch and workers' scripts."""
_TELLS = ("Ping", "CSPViolationReport")
"""Kinds with which a page only sends, and gets no answer. Beacons are pings."""
_NOWHERE = ("about:blank", "chrome-error:")
"""Addresses of Chromium's own documents, which have no content of a shop."""
MAX_STORED_BYTES = 30_000_000
"""How many bytes the documents of one origin may store in one context, in databases, caches and files. Contexts keep
all of it in memory. Chromium's own limit is a sixteenth of the machine's memory, even in a small container."""
_ORIGIN = re.compile(r"https?://[^/?#]{1,300}")
_COLLECT = "HeapProfiler.collectGarbage"
_MAX_HEADER = 100
_MAX_URL = 8_000


class Firewall:
    """The rules of one page, and what it did since `reset`.

    `refusal` says why the last navigation was refused, `None` if it was not. `strayed` says why a document that the
    page has shown may not be believed. `retry_after` is the `Retry-After` header of the last answer, or empty.
    """

    def __init__(
        self,
        rules: HostRules,
        news: PageNews | None = None,
        headers: OwnHeaders | None = None,
        sign_in: SignIn | None = None,
        lookup: NameLookup | None = None,
    ) -> None:
        """`lookup` gives the addresses of names. Without it they are not checked, as where a proxy looks names up."""
        self._rules = rules
        self._lookup = lookup
        self.news = news or PageNews()
        self._headers = headers or OwnHeaders((), {})
        self._sign_in = sign_in or SignIn(rules)
        self._blocked: frozenset[str] = frozenset()
        self._session: CDPSession | None = None
        self._main_frame = ""
        self._answers: set[asyncio.Task[None]] = set()
        self._collects_next = False
        """Whether the page collects its garbage when the next document has come."""
        self._bounded: set[str] = set()
        """Origins whose storage is limited already."""
        self.refusal: str | None = None
        self.strayed: str | None = None
        self.retry_after = ""

    async def attach(self, session: CDPSession, block: Collection[ResourceKind], main_frame: str) -> None:
        """Takes control of a page that has not been anywhere yet.

        Args:
            session: of the page; the firewall lasts as long as the session.
            block: kinds of resource that are refused here because no launch flag refuses them.
            main_frame: the page's main frame, whose id is that of the page's target.
        """
        self._session = session
        self._main_frame = main_frame
        session.on("Fetch.requestPaused", self._on_paused)
        session.on("Fetch.authRequired", self._on_sign_in)
        self._blocked = frozenset(_KINDS[kind] for kind in block)
        patterns = [{"resourceType": kind} for kind in (*_ASKED, *_TELLS, *sorted(self._blocked))]
        patterns += [*self._headers.fetch_patterns(), *self.news.fetch_patterns()]
        session.on("Page.frameNavigated", self._on_navigated)
        await self.news.listen(session)  # enables these events
        await session.send("Fetch.enable", {"patterns": patterns, "handleAuthRequests": self._sign_in.is_wanted})

    async def ask(self, method: str) -> dict[str, Any]:
        """Sends a command of Chromium's protocol over the firewall's session. Has no deadline."""
        assert self._session is not None
        answer: dict[str, Any] = await self._session.send(method)
        return answer

    async def collect_garbage(self, *, at_next_document: bool) -> None:
        """Makes the page collect its garbage: now, or when its next document has come. The latter takes less, because
        the present document is garbage by then. Has no deadline."""
        if at_next_document:
            self._collects_next = True
        else:
            await self.ask(_COLLECT)

    def reset(self) -> None:
        """Forgets the last refusal and the last answer; called before each use."""
        self.refusal = None
        self.strayed = None
        self.retry_after = ""
        self.news.reset()
        self._sign_in.reset()

    @property
    def proxy_refused(self) -> bool:
        """Whether the proxy has refused user and password since `reset`."""
        return self._sign_in.proxy_refused

    def _on_navigated(self, event: dict[str, Any]) -> None:
        frame = event["frame"]
        self._bound_storage(frame["url"])
        if "parentId" not in frame and not frame["url"].startswith(_NOWHERE):
            self.strayed = self.strayed or self._rules.refusal(frame["url"])
            if self._collects_next:
                self._collects_next = False
                self._soon(self._tell(_COLLECT))

    def _on_paused(self, event: dict[str, Any]) -> None:
        request = event["request"]
        # A page can send any amount at any rate, and this is kept until Chromium has been answered.
        request.pop("postDataEntries", None)
        request["postData"] = request.get("postData", "")[:MAX_POSTED]
        if event.get("resourceType") == "Document":
            self._bound_storage(request["url"])
        asker = None
        if "responseStatusCode" in event:
            asker = self.news.asker_of(event, is_document=self._is_navigation(event))
        self._soon(self._answer(event, asker))

    def _on_sign_in(self, event: dict[str, Any]) -> None:
        answer = self._sign_in.answer(event, is_navigation=self._is_navigation(event))
        self._soon(self._answer_question(event["requestId"], answer))

    def _bound_storage(self, url: str) -> None:
        """Limits what the documents of an origin may store, once for each origin and before they load."""
        origin = _ORIGIN.match(url)
        if origin is None or origin[0] in self._bounded or self._rules.refusal(f"{origin[0]}/") is not None:
            return
        self._bounded.add(origin[0])
        quota = {"origin": origin[0], "quotaSize": MAX_STORED_BYTES}
        self._soon(self._tell("Storage.overrideQuotaForOrigin", quota))

    async def _tell(self, method: str, params: dict[str, Any] | None = None) -> None:
        assert self._session is not None
        with contextlib.suppress(PlaywrightError):  # the page has gone
            await self._session.send(method, params)

    def _soon(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(answering)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer_question(self, request: str, answer: dict[str, str]) -> None:
        await self._tell("Fetch.continueWithAuth", {"requestId": request, "authChallengeResponse": answer})

    async def _answer(self, event: dict[str, Any], asker: Asker | None) -> None:
        assert self._session is not None
        request: dict[str, Any] = {"requestId": event["requestId"]}
        is_answer = "responseStatusCode" in event or "responseErrorReason" in event
        refusal = None if is_answer else self._judge(event) or await self._judge_address(event)
        is_navigation = self._is_navigation(event)
        try:
            if is_answer:
                if is_navigation:
                    self.retry_after = _header(event, "retry-after", _MAX_HEADER)
                    self.news.refresh = _header(event, "refresh", _MAX_URL)
                given = None if asker is None else await self.news.hear(event, asker)
                if given is None:
                    await self._session.send("Fetch.continueRequest", request)
                elif "fail" in given:
                    await self._session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
                else:
                    await self._session.send("Fetch.fulfillRequest", {**request, **given})
            elif refusal is None:
                if (headers := self._sent_with(event)) is not None:
                    request["headers"] = headers
                if is_navigation:  # `False` would keep the answers of other requests from `news`
                    request["interceptResponse"] = True
                await self._session.send("Fetch.continueRequest", request)
            else:
                await self._session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
        except PlaywrightError:
            pass  # the request, its frame or the whole page is gone: nothing is left to answer

    def _sent_with(self, event: dict[str, Any]) -> list[dict[str, str]] | None:
        """The headers of a request if they differ from the page's: with the visitor's, and to ask the shop."""
        request, added = event["request"], self._headers.added_to(event)
        if event.get("resourceType") not in _ASKED:
            return added
        if added is not None:
            request = {**request, "headers": {header["name"]: header["value"] for header in added}}
        fresh = fresh_headers(request)
        return added if fresh is None else fresh

    def _is_navigation(self, event: dict[str, Any]) -> bool:
        return event.get("resourceType") == "Document" and event.get("frameId") == self._main_frame

    def _judge(self, event: dict[str, Any]) -> str | None:
        kind, request = event.get("resourceType"), event["request"]
        if kind in self._blocked:
            return "blocked kind of resource"
        if kind in _TELLS:
            return self._rules.refusal(request["url"])
        if kind != "Document":
            return "loaded ahead" if _is_ahead(request) else self._rules.refusal_of_data(request["url"])
        refusal = self._rules.refusal(request["url"])
        if refusal is not None and event.get("frameId") == self._main_frame:
            self.refusal = refusal
        return refusal

    async def _judge_address(self, event: dict[str, Any]) -> str | None:
        """Checks the address that the page itself goes to. Chromium checks those of frames and data."""
        if self._lookup is None or not self._is_navigation(event):
            return None
        place = host_and_port_of(event["request"]["url"])
        if isinstance(place, str):
            return place
        addresses = place.fixed_addresses or self._lookup.remembered(place.host)
        if addresses is None:
            addresses = await self._lookup.addresses(place.host)
        refusal = self._rules.refusal_of(place, addresses)
        self.refusal = refusal or self.refusal
        return refusal


def _is_ahead(request: dict[str, Any]) -> bool:
    """Whether it is a prefetch (`<link rel=prefetch>`), as its header says."""
    return str(request["headers"].get("Sec-Purpose", "")).startswith("prefetch")


def _header(event: dict[str, Any], name: str, limit: int) -> str:
    for header in event.get("responseHeaders", ()):
        if header["name"].lower() == name:
            return str(header["value"])[:limit]
    return ""
