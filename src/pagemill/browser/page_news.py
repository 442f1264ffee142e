"""What Chromium reports of one page besides its document: answers that a source wants, and dialogs.

Owns what was heard during one visit. The firewall passes paused answers on, because Chromium pauses each request for
one listener only. Strategies interpret the answers.

The page's process reports that a document is there; Chromium's network process reports that an answer has come. Either
report may come first. So answers between the answer to a document's own request and the report of that document are
held until the report. By then Chromium no longer knows the requests of the former document (except `keepalive`
requests), but it does know those of the new one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pagemill.config.platform import Platform
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

MAX_BODY_BYTES = 4_000_000
_MAX_KEPT_BYTES = 16_000_000
"""For all bodies of one visit together, including those that are being read."""
_MAX_WAITING = 50
"""How many answers of one visit are kept. Further ones are counted and dropped."""
_MAX_DIALOGS = 10
_MAX_MESSAGE = 1_000
_MAX_URL = 8_000
MAX_POSTED = 100_000
_BODY_TIMEOUT_S = 5.0
_COMING_TIMEOUT_S = 5.0
"""How long to wait for a document whose answer has come. A download never becomes a document."""
_CHUNK = 512 * 1024
_TOO_LONG = f"it is longer than {MAX_BODY_BYTES} bytes"
_TOO_MUCH = f"the answers of one visit are longer than {_MAX_KEPT_BYTES} bytes together"
_NO_JSON = ("image/", "video/", "audio/", "font/", "text/css", "text/event-stream")
_WITH_BODY = frozenset({200, 201, 202, 203, 206, 304})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class HeardAnswer:
    """An answer to a request of the page. Without a `body`, `problem` says why there is none."""

    url: str
    status: int
    body: bytes | None
    posted: str = ""
    """What the page sent in its request."""
    problem: str = ""


@dataclass(eq=False, slots=True)
class _Room:
    """How many bytes the bodies of one visit may still take."""

    left: int

    def has(self, count: int) -> bool:
        """Takes `count` bytes if so many are left. Returns whether it did."""
        if count > self.left:
            return False
        self.left -= count
        return True


@dataclass(eq=False, slots=True)
class _Document:
    """A document of the page, and the answers that it got."""

    room: _Room
    """The room of the visit, shared by its documents."""
    url: str = ""
    """Its address; empty if its answer was not seen."""
    answers: list[HeardAnswer] = field(default_factory=list)
    there: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the document has come, or when nobody waits for it any more."""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """The document that an answer is for. If `in_between`, it may also be for the document before that."""

    document: _Document
    in_between: bool


class PageNews:
    """What was heard of one page since `reset`."""

    def __init__(self, patterns: Sequence[UrlPattern] = ()) -> None:
        """
        Args:
            patterns: of the addresses whose answers are kept; `{names}` in them stand for anything.
        """
        self._patterns = tuple(patterns)
        self._session: CDPSession | None = None
        self._document: _Document | None = None
        """The present document; `None` while that is the last visit's."""
        self._coming: _Document | None = None
        self._arrived = False
        self._settled = False
        """Whether the present document is the visit's own, or one that this has led to."""
        self._dialogs: list[str] = []
        self._news = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._room = _Room(_MAX_KEPT_BYTES)
        self.refresh = ""
        """The `Refresh` header of the answer to the last navigation; empty if there was none."""

    @classmethod
    def of(cls, platform: Platform) -> PageNews:
        """The news that a platform's sources need."""
        sources = platform.extract.sources
        return cls([UrlPattern(source.match) for source in sources if source.match is not None])

    def fetch_patterns(self) -> list[dict[str, str]]:
        """Patterns for Chromium's `Fetch` that pause the answers."""
        found: list[dict[str, str]] = []
        for loose in dict.fromkeys(pattern.loose() for pattern in self._patterns):
            kinds = ("XHR", "Fetch") if loose.strip("*") == "" else ("",)
            for kind in kinds:
                of_kind = {"resourceType": kind} if kind else {}
                found.append({"urlPattern": loose, "requestStage": "Response", **of_kind})
        return found

    async def listen(self, session: CDPSession) -> None:
        """Starts to listen to a page that has not been anywhere yet.

        Once a page's events are enabled, its dialogs wait for an answer. So every dialog is closed here.
        """
        self._session = session
        session.on("Page.frameNavigated", self._on_navigated)
        session.on("Page.javascriptDialogOpening", self._on_dialog)
        await session.send("Page.enable")

    def reset(self) -> None:
        """Forgets what was heard. Called before each use."""
        if self._coming is not None:
            self._coming.there.set()
        self._document = self._coming = None
        self._arrived = self._settled = False
        self._dialogs.clear()
        self._room = _Room(_MAX_KEPT_BYTES)
        self.refresh = ""

    def arrived(self) -> None:
        """Notes that the visit's own document has come. What is heard from now on belongs to it or its successors."""
        self._arrived = True
        self._settled = self._document is not None and self._coming is None

    @property
    def answers(self) -> Sequence[HeardAnswer]:
        """The answers that the visit's own document got, in order."""
        return () if self._document is None else self._document.answers

    @property
    def dropped(self) -> int:
        """How many answers were dropped because too many came."""
        return 0 if self._document is None else self._document.dropped

    @property
    def dialogs(self) -> tuple[str, ...]:
        """The messages of the dialogs that opened; all were closed at once."""
        return tuple(self._dialogs)

    async def wait(self) -> None:
        """Returns when something new was heard."""
        await self._news.wait()

    def asker_of(self, event: dict[str, Any], *, is_document: bool) -> Asker | None:
        """Who asked for a paused answer; `None` if nobody wants it. Must be called as soon as Chromium has paused it.

        Args:
            event: as Chromium sends it.
            is_document: whether it answers the request for the page's own document.
        """
        url = event["request"]["url"]
        if is_document and not self._settled and event["responseStatusCode"] not in _REDIRECTS:
            if self._coming is not None:
                self._coming.there.set()
            self._coming = _Document(self._room, url)
        asking = self._coming or self._document
        if asking is None or len(url) > _MAX_URL or not any(pattern.fits(url) for pattern in self._patterns):
            return None
        return Asker(asking, in_between=self._coming is not None and not is_document)

    async def hear(self, event: dict[str, Any], asker: Asker) -> dict[str, Any] | None:
        """Reads and keeps a paused answer.

        Returns:
            The parameters of `Fetch.fulfillRequest` with which the page gets the answer; `None` if it may simply go on.
        """
        request, status, document = event["request"], int(event["responseStatusCode"]), asker.document
        if asker.in_between and not await self._has_come(document):
            return None
        given: dict[str, Any] | None = None
        body, problem = None, ""
        headers = {str(h["name"]).lower(): str(h["value"]) for h in event.get("responseHeaders", ())}
        if len(document.answers) >= _MAX_WAITING:
            problem = "there are too many"
        elif status in _WITH_BODY or status >= 400:
            try:
                body, problem, given = await within(
                    _BODY_TIMEOUT_S, self._body(event, headers, document.room), "reading an answer"
                )
            except DeadlineExceeded as error:
                problem, given = str(error), {"fail": True}  # part of the body may already be taken from the page
            except PlaywrightError:
                if asker.in_between:  # the former document asked for it, and is gone
                    return None
                problem = "the page did not wait for it"
        else:
            problem = f"HTTP {status}"
        if body is not None:
            body = _in_utf8(body, headers.get("content-type", ""))
        answer = HeardAnswer(request["url"], status, body, str(request.get("postData", ""))[:MAX_POSTED], problem)
        if len(document.answers) < _MAX_WAITING:
            document.answers.append(answer)
        else:
            document.dropped += 1
        self._tell()
        return given

    async def _has_come(self, document: _Document) -> bool:
        """Whether the document comes in time, and no other one instead."""
        try:
            await within(_COMING_TIMEOUT_S, document.there.wait(), "waiting for a document")
        except DeadlineExceeded:
            return False
        return document is self._document

    async def _body(
        self, event: dict[str, Any], headers: dict[str, str], room: _Room
    ) -> tuple[bytes | None, str, dict[str, Any] | None]:
        assert self._session is not None
        if headers.get("content-type", "").startswith(_NO_JSON):
            return None, f"it is {headers['content-type'][:60]}", None
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:12]) > MAX_BODY_BYTES:
            return None, _TOO_LONG, None
        if room.left <= 0:
            return None, _TOO_MUCH, None
        # The body is read in pieces, because its stated length may be wrong.
        taken = {"requestId": event["requestId"]}
        stream = (await self._session.send("Fetch.takeResponseBodyAsStream", taken))["stream"]
        pieces: list[bytes] = []
        kept = 0
        body = None
        try:
            while True:
                piece = await self._session.send("IO.read", {"handle": stream, "size": _CHUNK})
                pieces.append(_bytes_of({"body": piece["data"], "base64Encoded": piece.get("base64Encoded", False)}))
                size = len(pieces[-1])
                problem = _TOO_LONG if kept + size > MAX_BODY_BYTES else "" if room.has(size) else _TOO_MUCH
                if problem:
                    await self._session.send("IO.close", {"handle": stream})
                    return None, problem, {"fail": True}
                kept += size
                if piece.get("eof"):
                    break
            body = b"".join(pieces)
        finally:
            if body is None:
                room.left += kept
        kept_headers = [
            h for h in event["responseHeaders"] if h["name"].lower() not in ("content-encoding", "content-length")
        ]
        given = {"responseCode": event["responseStatusCode"], "responseHeaders": kept_headers}
        return body, "", {**given, "body": base64.b64encode(body).decode()}

    def _on_navigated(self, event: dict[str, Any]) -> None:
        # The last visit's document may still be fetching. Its answers must not be taken for this product's.
        if "parentId" in event.get("frame", {}):
            return
        if not self._settled:
            self._document, self._coming = self._coming or _Document(self._room), None
            self._document.there.set()
            self._settled = self._arrived
        self._tell()

    def _on_dialog(self, event: dict[str, Any]) -> None:
        # A `beforeunload` dialog of the last visit's document must not delay the next visit. And what that document
        # says before it is left must not count for the next product.
        leaving = event.get("type") == "beforeunload"
        url = str(event.get("url", "")).partition("#")[0]
        is_ours = self._document is not None or (self._coming is not None and self._coming.url == url)
        if is_ours and not leaving and len(self._dialogs) < _MAX_DIALOGS:
            self._dialogs.append(str(event.get("message", ""))[:_MAX_MESSAGE])
        task = asyncio.get_running_loop().create_task(self._close_dialog(accept=leaving))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._tell()

    async def _close_dialog(self, *, accept: bool) -> None:
        assert self._session is not None
        with contextlib.suppress(PlaywrightError):  # it was closed already, or the page is gone
            await self._session.send("Page.handleJavaScriptDialog", {"accept": accept})

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _in_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, as JSON has to be; converted if the header names another encoding."""
    charset = re.search(r"charset=[\"']?([\w.:-]+)", content_type)
    if charset is None:
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        with contextlib.suppress(LookupError, UnicodeError):
            return body.decode(charset[1]).encode()
    return body


def _bytes_of(answer: dict[str, Any]) -> bytes:
    if answer.get("base64Encoded"):
        try:
            return base64.b64decode(answer["body"])
        except (binascii.Error, ValueError):
            return b""
    return str(answer["body"]).encode("utf-8", "surrogatepass")
