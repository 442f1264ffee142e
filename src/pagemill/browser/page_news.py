"""What Chromium tells of one page besides its document: answers that were asked for, and dialogs.

Owns what was heard during one visit. The firewall hands paused answers over, because Chromium pauses each request for
one listener only; what an answer means is the strategies'.

That a document is there is told by its own process, that an answer has come by Chromium's: either may overtake the
other. So what comes between the answer to a document's own request and the news that it is there is held until then.
What the document before has asked for is not known to Chromium any more by that time (unless it was to outlive it:
`keepalive`), and what the new one has is.
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
"""Of all bodies of one visit, those that are being read included."""
_MAX_WAITING = 50
"""Answers of one visit that are kept; what comes beyond them is counted and dropped."""
_MAX_DIALOGS = 10
_MAX_MESSAGE = 1_000
_MAX_URL = 8_000
MAX_POSTED = 100_000
_BODY_TIMEOUT_S = 5.0
_COMING_TIMEOUT_S = 5.0
"""How long a document whose answer has come is waited for; a download never comes."""
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
    """What the page sent with its request."""
    problem: str = ""


@dataclass(eq=False, slots=True)
class _Room:
    """What the bodies of one visit may still take."""

    left: int

    def has(self, count: int) -> bool:
        """Takes so many bytes of it, where they are there."""
        if count > self.left:
            return False
        self.left -= count
        return True


@dataclass(eq=False, slots=True)
class _Document:
    """A document of the page, and what it was answered."""

    room: _Room
    """That of the visit."""
    url: str = ""
    """Where it comes from; empty where nobody has seen it come."""
    answers: list[HeardAnswer] = field(default_factory=list)
    there: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it has come, or is waited for no longer."""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """Who has asked for an answer: a document, or the one before it where `in_between`."""

    document: _Document
    in_between: bool


class PageNews:
    """What was heard of one page since `reset`."""

    def __init__(self, patterns: Sequence[UrlPattern] = ()) -> None:
        """
        Args:
            patterns: of the addresses whose answers are heard, names standing for anything.
        """
        self._patterns = tuple(patterns)
        self._session: CDPSession | None = None
        self._document: _Document | None = None
        """The one that is there; `None` while it is that of the last visit."""
        self._coming: _Document | None = None
        self._arrived = False
        self._settled = False
        """Whether the document that is there is the visit's own, or one that this has led to."""
        self._dialogs: list[str] = []
        self._news = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._room = _Room(_MAX_KEPT_BYTES)
        self.refresh = ""
        """The header of that name in the answer to the last navigation; empty where there was none."""

    @classmethod
    def of(cls, platform: Platform) -> PageNews:
        """For the sources of a platform."""
        sources = platform.extract.sources
        return cls([UrlPattern(source.match) for source in sources if source.match is not None])

    def fetch_patterns(self) -> list[dict[str, str]]:
        """Patterns of Chromium's `Fetch` for the answers."""
        found: list[dict[str, str]] = []
        for loose in dict.fromkeys(pattern.loose() for pattern in self._patterns):
            kinds = ("XHR", "Fetch") if loose.strip("*") == "" else ("",)
            for kind in kinds:
                of_kind = {"resourceType": kind} if kind else {}
                found.append({"urlPattern": loose, "requestStage": "Response", **of_kind})
        return found

    async def listen(self, session: CDPSession) -> None:
        """Begins to hear a page that has not been anywhere yet.

        Whoever asks for a page's events has its dialogs wait for an answer: they are always closed here.
        """
        self._session = session
        session.on("Page.frameNavigated", self._on_navigated)
        session.on("Page.javascriptDialogOpening", self._on_dialog)
        await session.send("Page.enable")

    def reset(self) -> None:
        """Forgets what was heard; called before each use."""
        if self._coming is not None:
            self._coming.there.set()
        self._document = self._coming = None
        self._arrived = self._settled = False
        self._dialogs.clear()
        self._room = _Room(_MAX_KEPT_BYTES)
        self.refresh = ""

    def arrived(self) -> None:
        """Says that the visit's own document has come: from now on, what is heard is of it or of what it leads to."""
        self._arrived = True
        self._settled = self._document is not None and self._coming is None

    @property
    def answers(self) -> Sequence[HeardAnswer]:
        """The answers heard by the visit's own document, in their order."""
        return () if self._document is None else self._document.answers

    @property
    def dropped(self) -> int:
        """Answers that came beyond those that are kept."""
        return 0 if self._document is None else self._document.dropped

    @property
    def dialogs(self) -> tuple[str, ...]:
        """The messages of the dialogs that were opened, and closed at once."""
        return tuple(self._dialogs)

    async def wait(self) -> None:
        """Returns when something more has been heard."""
        await self._news.wait()

    def asker_of(self, event: dict[str, Any], *, is_document: bool) -> Asker | None:
        """Who has asked for a paused answer; `None` if it is not to be heard. Called as soon as Chromium has paused it.

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
        """Takes a paused answer in.

        Returns:
            How the page gets it, as parameters of `Fetch.fulfillRequest`; `None` if it may simply go on.
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
                problem, given = str(error), {"fail": True}  # it may have been taken from the page by half
            except PlaywrightError:
                if asker.in_between:  # the document before has asked for it, and has gone
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
        """Whether a document comes within its time, and another one does not come in its place."""
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
        # Piece by piece, whatever length it says that it has: only what has come tells how long it is.
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
        # The document of the last visit may still be fetching: its answers must not be taken for this product's.
        if "parentId" in event.get("frame", {}):
            return
        if not self._settled:
            self._document, self._coming = self._coming or _Document(self._room), None
            self._document.there.set()
            self._settled = self._arrived
        self._tell()

    def _on_dialog(self, event: dict[str, Any]) -> None:
        # Asked whether it may be left, the document of the last visit must not hold up the next one; nor is anything
        # that it says before it is left said of the next product.
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
        with contextlib.suppress(PlaywrightError):  # somebody else has closed it, or the page has gone
            await self._session.send("Page.handleJavaScriptDialog", {"accept": accept})

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _in_utf8(body: bytes, content_type: str) -> bytes:
    """The body as JSON has to be, where it is in another encoding and says in which."""
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
