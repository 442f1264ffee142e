"""Strategy `http`: facts from a request without any page. Requests and redirects go only to the platform's hosts, and
not to an unlisted private address: each connection's address is checked before anything is sent over it.

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

from pagemill.config.platform import Platform
from pagemill.config.reading.patterns import fill_address, fill_json, fill_text
from pagemill.config.reading.source import Source
from pagemill.config.visitor.secrets import Proxy, ProxyAddress
from pagemill.deadlines import within
from pagemill.errors import (
    DeadlineExceeded,
    ItemError,
    ProxyFailed,
    TooManyValues,
    UnreadableBody,
    VisitFailed,
    VisitRefused,
)
from pagemill.extraction.http_body import ACCEPTED, read_body
from pagemill.extraction.http_route import ProxyTurns, Trace, connection_check, cookies_for, trusted
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
_CONNECT_SHARE = 3
"""A request may use one third of its time to connect to a proxy. The rest is for another proxy."""
_USES_OF_PROXY = 50
"""Requests through one proxy before the next one's turn, if no setting says how long a context lasts."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came: the final status and address, and the JSON, `None` if there is none."""

    status: int
    url: str
    asked: str
    document: Any
    retry_after: str = ""
    problem: str = ""

    @property
    def is_json(self) -> bool:
        """Whether the answer holds JSON."""
        return self.document is not None


class HttpSource:
    """Asks for the JSON of one product, and reads the fields of one source from it."""

    def __init__(self, source: Source, position: int, platform: Platform) -> None:
        self._source = source
        self._position = position
        self._rules = platform.host_rules()
        self._lanes = platform.workflow.concurrency.default
        self._platform = platform.platform
        self._visitor = platform.visitor
        context = platform.rotation.context
        self._uses_of_proxy = _USES_OF_PROXY if context == "auto" else context
        self._within_s = (source.within_ms or DEFAULT_WITHIN_MS) / 1000
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._proxy: Proxy | None = None
        self._proxy_uses = 0
        self._closing: set[asyncio.Task[None]] = set()

    async def ask(self, visit: Visit) -> HttpAnswer:
        """Makes the request.

        Raises:
            VisitRefused: an address is none of the platform's hosts.
            VisitFailed: the network or the server failed.
            ProxyFailed: no proxy that was tried lets it through.
            DeadlineExceeded: it took longer than the source may.
        """
        template = self._source.url
        address = visit.url if template is None else urljoin(visit.url, fill_address(template, visit.names))
        limit_s = min(self._within_s, visit.timeout_s)
        answer = await within(limit_s, self._ask_through(address, visit), "waiting for an answer over HTTP")
        return replace(answer, document=own_part(answer.document, Identity.of(visit.names, visit.url)))

    def tell(self, answer: HttpAnswer, told: SourcesTold, error_paths: tuple[str, ...]) -> None:
        """Adds what each path leads to. With an error status there are no facts, but the JSON may name the error."""
        told.errors += errors_in(answer.document, error_paths) if answer.document is not None else []
        told.requests.append(f"{answer.asked}: HTTP {answer.status}, {'JSON' if answer.is_json else 'no JSON'}")
        if answer.problem:
            told.troubles.append(f"http: {answer.problem}")
        if answer.document is None or answer.status >= 400:
            told.add(told_nothing(self._source.fields, self._position, "http"))
        else:
            told.add(told_by_json(answer.document, self._source.fields, self._position, "http"))

    def tell_failure(self, error: ItemError | DeadlineExceeded, told: SourcesTold) -> None:
        """Adds that no answer came, and why."""
        told.troubles.append(f"http: {error}")
        told.add(told_nothing(self._source.fields, self._position, "http"))

    def close(self) -> None:
        """Closes the connections on the running event loop; without one they are gone already."""
        clients, self._clients = self._clients, {}
        with contextlib.suppress(RuntimeError):  # no running loop: the connections went with it
            loop = asyncio.get_running_loop()
            for client in clients.values():
                task = loop.create_task(client.aclose())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _ask_through(self, address: str, visit: Visit) -> HttpAnswer:
        """Asks through one proxy after another until one works. A proxy that failed has sent nothing to the shop."""
        names, proxies = self._visitor.proxies, visit.proxies
        if not names or proxies is None:
            return await self._ask(address, visit, None)
        for _ in names:
            proxy = self._next_proxy(proxies)
            try:
                answer = await self._ask(address, visit, proxy)
            except ProxyFailed as error:
                proxies.failed(proxy.name, str(error))
                if not proxies.any_awake(names):
                    break
                continue
            proxies.worked(proxy.name)
            return answer
        raise ProxyFailed(f"no proxy works: {proxies.trouble(names)}", others=False)

    def _next_proxy(self, proxies: ProxyTurns) -> Proxy:
        """The current proxy, until it has served as many requests as a context lasts or it rests; then the next one."""
        if self._proxy is None or self._proxy_uses >= self._uses_of_proxy or proxies.rests(self._proxy.name):
            self._proxy, self._proxy_uses = proxies.take(self._visitor), 0
        assert self._proxy is not None
        self._proxy_uses += 1
        return self._proxy

    async def _ask(self, address: str, visit: Visit, proxy: Proxy | None) -> HttpAnswer:
        import httpx

        source = self._source
        asked, trace = address, Trace()
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
                client = self._open(proxy)
                # A proxy looks up names by itself, so there is no address to check.
                trace.check = None if proxy is not None else connection_check(self._rules, address)
                sent = self._with_cookies(headers, address, visit)
                request = client.build_request(method, address, headers=sent, extensions={"trace": trace.hear}, **body)
                response = await client.send(request, stream=True, auth=self._auth(visit))
                try:
                    if response.status_code == 407 and proxy is not None:
                        raise ProxyFailed("refuses user and password", others=True)
                    location = response.headers.get("location", "")
                    if response.status_code not in _REDIRECTS or not location:
                        return await _read(response, asked)
                finally:
                    await response.aclose()
                address = urljoin(address, location)
                if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                    method, body = "GET", {}
        except httpx.HTTPError as error:
            if proxy is not None and (fault := trace.proxy_fault(error, proxy.address)):
                raise ProxyFailed(fault, others=True) from error
            if not isinstance(error, httpx.TimeoutException):
                raise VisitFailed(f"{type(error).__name__}: {error}"[:200].rstrip(": ")) from error
            raise VisitFailed(f"timeout: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise VisitFailed(f"{type(error).__name__}: {error}"[:200].rstrip(": ")) from error
        finally:
            await trace.close()
        raise VisitFailed(f"more than {_MAX_REDIRECTS} redirects")

    def _with_cookies(self, headers: dict[str, str], address: str, visit: Visit) -> dict[str, str]:
        """The headers with the cookies for that address, unless the source sets `Cookie` itself."""
        state = visit.secrets.storage.get(self._platform)
        cookies = cookies_for(address, self._visitor.cookies, state)
        if not cookies or any(name.lower() == "cookie" for name in headers):
            return headers
        return {**headers, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}

    def _auth(self, visit: Visit) -> tuple[str, str] | None:
        name = self._visitor.credentials
        known = None if name is None else visit.secrets.credentials.get(name)
        return None if known is None else (known.user, known.password)

    def _open(self, proxy: Proxy | None = None) -> httpx.AsyncClient:
        name = "" if proxy is None else proxy.name
        if name not in self._clients:
            import httpx

            visitor = self._visitor
            headers = {"User-Agent": visitor.agent or _AGENT, "Accept": "application/json, */*"}
            headers["Accept-Encoding"] = ACCEPTED
            if visitor.locale:
                headers["Accept-Language"] = visitor.locale
            headers |= visitor.headers
            connect_s = self._within_s if proxy is None else self._within_s / _CONNECT_SHARE
            limits = httpx.Limits(max_connections=self._lanes, max_keepalive_connections=self._lanes)
            self._clients[name] = httpx.AsyncClient(
                http2=True,
                headers=headers,
                limits=limits,
                timeout=httpx.Timeout(self._within_s, connect=connect_s),
                verify=trusted(),
                trust_env=False,
                cookies=_no_cookies(),
                proxy=None if proxy is None else _as_httpx(proxy.address),
            )
        return self._clients[name]


def _as_httpx(address: ProxyAddress) -> httpx.Proxy:
    import httpx

    known = address.credentials
    auth = None if known is None else (known.user, known.password)
    return httpx.Proxy(address.server, auth=auth, ssl_context=trusted() if address.scheme == "https" else None)


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


async def _read(response: httpx.Response, asked: str) -> HttpAnswer:
    status, url = response.status_code, str(response.url)
    retry_after = response.headers.get("retry-after", "")[:100]
    document, problem = None, ""
    try:
        body = await read_body(response, MAX_BODY_BYTES)
        with contextlib.suppress(LookupError, UnicodeError):  # if it is not UTF-8, the header may name its charset
            body = _in_utf8(body, response.charset_encoding)
        document = parse_answer(body)
    except (UnreadableBody, TooManyValues) as error:
        problem = str(error)
    except ValueError:
        problem = f"the answer is no JSON: {_beginning(body)}"
    return HttpAnswer(status, url, asked, document, retry_after, f"HTTP {status}" if status >= 400 else problem)


def _in_header(text: str) -> str:
    """The text as a header can carry it: an id may have any letters, so they are percent-encoded where necessary."""
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
