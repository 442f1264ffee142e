"""Strategy `http`: facts from a request without any page. Only the platform's hosts are asked, redirects included.

The client is made at the first request, for one platform, and closed with its strategy. It keeps no cookies from one
product to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import string
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from pagemill.config.patterns import fill_address, fill_json, fill_text
from pagemill.config.platform import Platform
from pagemill.config.source import Source
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, ItemError, VisitFailed, VisitRefused
from pagemill.extraction.identity import Identity
from pagemill.extraction.json_path import parse_answer
from pagemill.extraction.own_part import own_part
from pagemill.extraction.source_told import SourcesTold, errors_in, told_by_json, told_nothing
from pagemill.extraction.visit import Visit

if TYPE_CHECKING:
    import httpx

DEFAULT_WITHIN_MS = 10_000
MAX_BODY_BYTES = 4_000_000
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came: the status and address in the end, and the JSON, `None` where there is none."""

    status: int
    url: str
    asked: str
    document: Any
    retry_after: str = ""
    problem: str = ""

    @property
    def is_json(self) -> bool:
        """Whether there is anything to read."""
        return self.document is not None


class HttpSource:
    """Asks for the JSON of one product, and reads the fields of one source from it."""

    def __init__(self, source: Source, position: int, platform: Platform) -> None:
        self._source = source
        self._position = position
        self._rules = platform.host_rules()
        self._lanes = platform.workflow.concurrency.default
        self._agent = platform.navigation.user_agent or _AGENT
        self._language = platform.navigation.locale or ""
        self._within_s = (source.within_ms or DEFAULT_WITHIN_MS) / 1000
        self._client: httpx.AsyncClient | None = None
        self._closing: asyncio.Task[None] | None = None

    async def ask(self, visit: Visit) -> HttpAnswer:
        """Makes the request.

        Raises:
            VisitRefused: an address is none of the platform's hosts.
            VisitFailed: the network or the server failed.
            DeadlineExceeded: it took longer than the source may.
        """
        template = self._source.url
        address = visit.url if template is None else urljoin(visit.url, fill_address(template, visit.names))
        limit_s = min(self._within_s, visit.timeout_s)
        answer = await within(limit_s, self._ask(address, visit), "waiting for an answer over HTTP")
        return replace(answer, document=own_part(answer.document, Identity.of(visit.names, visit.url)))

    def tell(self, answer: HttpAnswer, told: SourcesTold, error_paths: tuple[str, ...]) -> None:
        """What each path leads to. An answer with an error's status says no facts, but it may say which error."""
        told.errors += errors_in(answer.document, error_paths) if answer.document is not None else []
        told.requests.append(f"{answer.asked}: HTTP {answer.status}, {'JSON' if answer.is_json else 'no JSON'}")
        if answer.problem:
            told.troubles.append(f"http: {answer.problem}")
        if answer.document is None or answer.status >= 400:
            told.add(told_nothing(self._source.fields, self._position, "http"))
        else:
            told.add(told_by_json(answer.document, self._source.fields, self._position, "http"))

    def tell_failure(self, error: ItemError | DeadlineExceeded, told: SourcesTold) -> None:
        """That nothing came, and why."""
        told.troubles.append(f"http: {error}")
        told.add(told_nothing(self._source.fields, self._position, "http"))

    def close(self) -> None:
        """Closes the connections, on the loop that they belong to, or with it."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(RuntimeError):  # without a running loop the connections have gone with it
                self._closing = asyncio.get_running_loop().create_task(client.aclose())

    async def _ask(self, address: str, visit: Visit) -> HttpAnswer:
        import httpx

        source = self._source
        asked = address
        body: dict[str, Any] = {}
        if source.json_body is not None:
            body["json"] = fill_json(source.json_body, visit.names)
        if source.form is not None:
            body["data"] = fill_json(source.form, visit.names)
        method = source.method or ("POST" if body else "GET")
        headers = {name: _in_header(fill_text(text, visit.names)) for name, text in source.headers.items()}
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                if (refusal := self._rules.refusal(address)) is not None:
                    raise VisitRefused(f"the request led away: {refusal}")
                request = self._open().build_request(method, address, headers=headers, **body)
                response = await self._open().send(request, stream=True)
                try:
                    location = response.headers.get("location", "")
                    if response.status_code not in _REDIRECTS or not location:
                        return await _read(response, asked)
                finally:
                    await response.aclose()
                address = urljoin(address, location)
                if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                    method, body = "GET", {}
        except httpx.TimeoutException as error:
            raise VisitFailed(f"timeout: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise VisitFailed(f"{type(error).__name__}: {error}"[:200].rstrip(": ")) from error
        raise VisitFailed(f"more than {_MAX_REDIRECTS} redirects")

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            headers = {"User-Agent": self._agent, "Accept": "application/json, */*"}
            if self._language:
                headers["Accept-Language"] = self._language
            limits = httpx.Limits(max_connections=self._lanes, max_keepalive_connections=self._lanes)
            self._client = httpx.AsyncClient(
                http2=True,
                headers=headers,
                limits=limits,
                timeout=self._within_s,
                trust_env=False,
                cookies=_no_cookies(),
            )
        return self._client


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


async def _read(response: httpx.Response, asked: str) -> HttpAnswer:
    status, url = response.status_code, str(response.url)
    retry_after = response.headers.get("retry-after", "")[:100]
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > MAX_BODY_BYTES:
            return HttpAnswer(
                status, url, asked, None, retry_after, f"the answer is longer than {MAX_BODY_BYTES} bytes"
            )
        pieces.append(piece)
    body = b"".join(pieces)
    with contextlib.suppress(LookupError, UnicodeError):  # what is no UTF-8 may say what it is
        body = _in_utf8(body, response.charset_encoding)
    try:
        return HttpAnswer(
            status, url, asked, parse_answer(body), retry_after, f"HTTP {status}" if status >= 400 else ""
        )
    except ValueError:
        if status >= 400:
            return HttpAnswer(status, url, asked, None, retry_after, f"HTTP {status}")
        return HttpAnswer(status, url, asked, None, retry_after, f"the answer is no JSON: {_beginning(body)}")


def _in_header(text: str) -> str:
    """As a header can carry it: an id may have any letters."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=string.punctuation + " ")


def _in_utf8(body: bytes, charset: str | None) -> bytes:
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(charset or "utf-8").encode()
    return body


def _beginning(body: bytes) -> str:
    text = " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return json.dumps(text[:_SHOWN], ensure_ascii=False)
