"""Whatever a page tries, nothing of it reaches a host that is none of the shop's: not one byte.

Each way has its own path, so that what arrives names the way. A page tries all of them at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.neighbour import Neighbour
from tests.browser.pool.real_pool import local_platform, real_pool, until
from tests.browser.pool.watched_server import Reply, WatchedServer, html

pytestmark = pytest.mark.browser

_WAIT_S = 1.0
"""How long contacts that must not come are waited for; on an idle machine the others all come in half of it."""

DATA = {
    "fetch": "fetch('http://{at}/fetch')",
    "fetch-moved": "fetch('/moved/fetch-moved')",
    "xhr": "x = new XMLHttpRequest(); x.open('GET', 'http://{at}/xhr'); x.send()",
    "keepalive": "fetch('http://{at}/keepalive', {{keepalive: true}})",
    "keepalive-leaving": "leaving.push(() => fetch('http://{at}/keepalive-leaving', {{keepalive: true}}))",
    "events": "new EventSource('http://{at}/events')",
    "socket": "new WebSocket('ws://{at}/socket')",
    "script": "add('script', {{src: 'http://{at}/script'}})",
    "import": "import('http://{at}/import').catch(() => 0)",
    "module": "add('link', {{rel: 'modulepreload', href: 'http://{at}/module'}})",
    "preload": "add('link', {{rel: 'preload', as: 'script', href: 'http://{at}/preload'}})",
    "style": "add('link', {{rel: 'stylesheet', href: 'http://{at}/style'}})",
    "style-import": "add('style', {{textContent: '@import url(http://{at}/style-import)'}})",
    "worker": "new Worker(text(`fetch('http://{at}/worker')`))",
    "shared-worker": "new SharedWorker(text(`fetch('http://{at}/shared-worker')`))",
    "worklet": "CSS.paintWorklet.addModule('http://{at}/worklet').catch(() => 0)",
    "dictionary": "add('link', {{rel: 'compression-dictionary', href: 'http://{at}/dictionary'}})",
}
"""What a page may have from any public host, and from no private one."""

NEVER = {
    "beacon": "navigator.sendBeacon('http://{at}/beacon')",
    "beacon-moved": "navigator.sendBeacon('/moved/beacon-moved')",
    "beacon-leaving": "leaving.push(() => navigator.sendBeacon('http://{at}/beacon-leaving'))",
    "ping": "add('a', {{ping: 'http://{at}/ping', href: '#x'}}).click()",
    "prefetch": "add('link', {{rel: 'prefetch', href: 'http://{at}/prefetch'}})",
    "prefetch-document": "add('link', {{rel: 'prefetch', as: 'document', href: 'http://{at}/prefetch-document'}})",
    "prefetch-moved": "add('link', {{rel: 'prefetch', href: '/moved/prefetch-moved'}})",
    "prerender": "add('link', {{rel: 'prerender', href: 'http://{at}/prerender'}})",
    "preconnect": "add('link', {{rel: 'preconnect', href: 'http://{at}/preconnect'}})",
    "name-ahead": "add('link', {{rel: 'dns-prefetch', href: 'http://{at}/name-ahead'}})",
    "speculation": "ahead('prefetch', 'http://{at}/speculation')",
    "speculation-moved": "ahead('prefetch', '/moved/speculation-moved')",
    "speculation-drawn": "ahead('prerender', 'http://{at}/speculation-drawn')",
    "speculation-drawn-moved": "ahead('prerender', '/moved/speculation-drawn-moved')",
    "frame": "add('iframe', {{src: 'http://{at}/frame'}})",
    "object": "add('object', {{data: 'http://{at}/object', type: 'text/html'}})",
    "window": "window.open('http://{at}/window')",
    "form": "add('iframe', {{name: 'f'}});"
    "add('form', {{target: 'f', method: 'post', action: 'http://{at}/form'}}).submit()",
    "identity": "const from = {{providers: [{{configURL: 'http://{at}/identity', clientId: 'a'}}]}};"
    "navigator.credentials.get({{identity: from}}).catch(() => 0)",
}
"""What no page may do with a host that is not listed, wherever it is. A report on the policy belongs to it, too."""

TRUSTED = {
    "later": "fetchLater('http://{at}/later', {{activateAfter: 0}})",
    "later-leaving": "fetchLater('http://{at}/later-leaving')",
}
"""Data that only hosts are asked for that browsers trust: with a certificate, or on this machine."""

TALKS = {
    "stun": "talk({{urls: 'stun:{at}'}})",
    "turn": "talk({{urls: 'turn:{at}?transport=udp', username: 'a', credential: 'b'}})",
    "turn-tcp": "talk({{urls: 'turn:{at}?transport=tcp', username: 'a', credential: 'b'}})",
    "turn-tls": "talk({{urls: 'turns:{at}?transport=tcp', username: 'a', credential: 'b'}})",
    "candidate": "talk().then(p => p.addIceCandidate({{sdpMid: '0', candidate: "
    "'candidate:2 1 tcp 1518280447 {host} {port} typ host tcptype passive'}}))",
}
"""WebRTC, which serves no visit either."""

PRIVATELY = {
    "payment": "new PaymentRequest([{{supportedMethods: 'http://{at}/payment'}}], {{total: {{label: 'x', amount: "
    "{{currency: 'USD', value: '1'}}}}}}).canMakePayment().catch(() => 0)",
    "transport": "new WebTransport('https://{at}/transport')",
}
"""What trusted hosts alone are asked for as well, and what names no path when it arrives."""

_TOOLS = """
const add = (name, what) => document.body.appendChild(Object.assign(document.createElement(name), what));
const ahead = (how, url) => add('script', {type: 'speculationrules',
  textContent: JSON.stringify({[how]: [{source: 'list', urls: [url], eagerness: 'immediate'}]})});
const text = (code) => URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
window.candidates = [];
const talk = async (server) => {
  const peer = new RTCPeerConnection({iceServers: server ? [server] : []});
  peer.onicecandidate = (event) => event.candidate && candidates.push(event.candidate.candidate);
  peer.createDataChannel('x');
  await peer.setLocalDescription(await peer.createOffer());
  const sdp = peer.localDescription.sdp.replace('actpass', 'active');
  await peer.setRemoteDescription({type: 'answer', sdp});
  return peer;
};
const leaving = [];
addEventListener('pagehide', () => leaving.forEach((leave) => leave()));
window.failed = [];
const attempt = (name, way) => { try { way(); } catch (error) { failed.push(name + ': ' + error); } };
"""


@dataclass(frozen=True)
class Attempts:
    """What one page has tried, in a browser of its own."""

    executable: Path
    temporary: Path
    opener_kind: str
    server: WatchedServer

    async def assert_heard(
        self,
        expected: Iterable[str],
        ways: Mapping[str, str],
        neighbour: Neighbour,
        hosts: Sequence[str] = ("127.0.0.1",),
        extra_args: Sequence[str] = (),
    ) -> None:
        """A page at 127.0.0.1 tries all those ways, and leaves; its neighbour hears what is expected and no more."""
        at = {"at": neighbour.place, "host": neighbour.host, "port": neighbour.port}
        attempts = "".join(f"attempt('{name}', () => {{ {way.format(**at)} }});\n" for name, way in ways.items())
        page = html(f"<h1>shop</h1><script>{_TOOLS}{attempts}</script>")
        policy = f"script-src 'none'; report-uri http://{neighbour.place}/report"
        reported = Reply(page.body, headers=(("content-security-policy-report-only", policy),))
        self.server.replies |= {"/tries": reported, "/next": html("next")}
        for name in ways:
            place = ("location", f"http://{neighbour.place}/{name}")
            self.server.replies[f"/moved/{name}"] = Reply(status=307, headers=(place,))
        paths = {f"/{name}" for name in expected}
        staying = {path for path in paths if not path.endswith("-leaving")}
        platform = local_platform(hosts=list(hosts), navigation={"draw": "always"})  # a hidden page loads nothing ahead
        opening = real_pool(self.executable, self.temporary, kind=self.opener_kind, hosts=hosts, extra_args=extra_args)
        async with opening as real, real.pool.lease(platform) as lease:
            await lease.page.goto(self.server.shop("/tries"), wait_until="commit", timeout=5000)
            await until(lambda: staying <= set(neighbour.heard))
            await asyncio.sleep(_WAIT_S)
            assert await lease.page.evaluate("failed") == []
            assert await lease.page.evaluate("candidates") == []  # the addresses of this machine
            await lease.page.goto(self.server.shop("/next"), wait_until="commit", timeout=5000)
            await until(lambda: paths <= set(neighbour.heard))
            await asyncio.sleep(_WAIT_S / 2)
        assert sorted(set(neighbour.heard)) == sorted(paths)


@pytest.fixture
def attempts(executable: Path, temporary: Path, opener_kind: str, server: WatchedServer) -> Attempts:
    """By both ways of opening pages."""
    return Attempts(executable, temporary, opener_kind, server)


@pytest_asyncio.fixture
async def neighbour() -> AsyncIterator[Neighbour]:
    """It lives at an address of loopback that is not the shop's."""
    async with Neighbour.at("127.0.0.2") as neighbour:
        yield neighbour


async def test_no_byte_reaches_a_private_host_that_is_not_listed(attempts: Attempts, neighbour: Neighbour) -> None:
    """As the worker's own Redis, or what a cloud tells its machines."""
    await attempts.assert_heard((), DATA | TRUSTED | NEVER | TALKS | PRIVATELY, neighbour)


async def test_a_public_host_that_is_not_listed_is_asked_for_data_only(
    attempts: Attempts, neighbour: Neighbour
) -> None:
    """Shops have scripts and prices from other hosts; what is told them, or loaded ahead, serves no visit."""
    neighbour.name = "cdn.example"
    mapped = f"--host-resolver-rules=MAP cdn.example {neighbour.host}"
    await attempts.assert_heard(DATA, DATA | NEVER, neighbour, extra_args=[mapped])


async def test_a_host_that_is_listed_is_told_things_too(attempts: Attempts, neighbour: Neighbour) -> None:
    """The control: these ways do arrive, and being listed makes a private host as good as a public one."""
    told = ["beacon", "beacon-moved", "beacon-leaving", "ping", "report", "frame", "object", "form"]
    listed = ["127.0.0.1", neighbour.host]
    await attempts.assert_heard([*DATA, *TRUSTED, *told], DATA | TRUSTED | NEVER, neighbour, hosts=listed)


async def test_a_name_helps_nobody_to_a_private_address(attempts: Attempts, server: WatchedServer) -> None:
    """Chromium looks at the address that it is connected to; another port is another place, too."""
    async with Neighbour.at("127.0.0.1") as neighbour:
        neighbour.name = "localhost"
        await attempts.assert_heard((), DATA | TRUSTED | NEVER, neighbour, hosts=[f"127.0.0.1:{server.port}"])


async def test_nobody_is_talked_to(attempts: Attempts) -> None:
    """At a private address, listed or not."""
    async with Neighbour.at("127.0.0.1") as neighbour:
        await attempts.assert_heard(["report"], TALKS, neighbour)
