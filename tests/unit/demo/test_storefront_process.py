"""The practice shop as a process: it starts, it stops, and it never outlives whoever started it."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from pagemill.demo import storefront
from pagemill.demo.shops.addresses import ADDRESSES, SHOPS, shop_url
from pagemill.demo.storefront import StorefrontProcess, serve_storefront
from pagemill.errors import ServiceUnavailable, UsageError


def wait_for_end(pid: int, timeout_s: float) -> bool:
    """Whether that process, of whosever child, ended in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def status_of(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_shop_answers_inside_the_block_and_is_gone_after_it() -> None:
    """The URL works at once, counts hits, and the process is reaped."""
    with StorefrontProcess() as shop:
        pid = shop.pid
        assert pid is not None
        assert status_of(f"{shop.base_url}/healthz") == 200
        assert status_of(f"{shop.base_url}/elsewhere") == 200
        assert shop.hits().paths == {"/elsewhere": 1}
        shop.reset()
        assert shop.hits().total == 0
    assert shop.base_url == ""
    assert wait_for_end(pid, 0)


def test_small_answers_are_not_held_back() -> None:
    """On one connection, most requests take far less than a delayed acknowledgement (40 ms)."""
    with StorefrontProcess() as shop:
        connection = http.client.HTTPConnection(urlsplit(shop.base_url).netloc, timeout=5)
        took_s = []
        for _ in range(41):
            started = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            took_s.append(time.monotonic() - started)
        connection.close()
    assert statistics.median(took_s) < 0.020


def test_hanging_visitor_does_not_keep_the_shop_alive() -> None:
    """Stopping is a matter of a second or two, not of the visitor's patience."""
    with StorefrontProcess() as shop:
        visitor = http.client.HTTPConnection(urlsplit(shop.base_url).netloc, timeout=5)
        visitor.request("GET", "/hydrated/p/x.ok?fault=hang")
        while not shop.hits().faults:
            pass
        started = time.monotonic()
        shop.stop()
        assert time.monotonic() - started < 4
        visitor.close()


def test_half_closes_the_connection_in_mid_body() -> None:
    """The client is told a length and gets less."""
    with StorefrontProcess() as shop:
        connection = http.client.HTTPConnection(urlsplit(shop.base_url).netloc, timeout=5)
        connection.request("GET", "/hydrated/p/x.ok?fault=half")
        with pytest.raises(http.client.IncompleteRead):
            connection.getresponse().read()
        connection.close()


def test_shop_dies_with_its_parent() -> None:
    """A parent that is killed without any clean-up leaves no shop behind."""
    code = """
import os, signal, sys
from pagemill.demo.storefront import StorefrontProcess
shop = StorefrontProcess()
shop.start()
print(shop.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    parent = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=30, check=False)
    assert parent.returncode == -signal.SIGKILL
    assert wait_for_end(int(parent.stdout), 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_shop_ends_well_after_a_signal(number: signal.Signals) -> None:
    """Exit code 0, whichever way it is asked."""
    command = [sys.executable, "-m", "pagemill.demo.storefront", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(5) == 0


def test_port_that_is_taken_is_named() -> None:
    """Both the function and the process say which address cannot be had."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve_storefront("127.0.0.1", port, lambda url: None)
        with pytest.raises(ServiceUnavailable, match=f"cannot listen on 127.0.0.1:{port}"):
            StorefrontProcess(port=port).start()


def test_shop_that_does_not_start_in_time_is_given_up() -> None:
    """The deadline holds, and nothing is left running."""
    shop = StorefrontProcess(start_timeout_s=0.0)
    with pytest.raises(ServiceUnavailable, match="no URL within 0 s"):
        shop.start()
    assert shop.pid is None


def test_shops_are_at_their_addresses_and_the_same_port() -> None:
    """One process answers for all of them; without being asked to, for none."""
    with StorefrontProcess(shops=True) as shop:
        assert shop.base_url == f"http://127.0.0.1:{shop.port}"
        assert status_of(f"{shop.base_url}/healthz") == 200
        for name in SHOPS:
            assert status_of(f"{shop_url(name, shop.port)}/") == (403 if name == "hwahae" else 200)
        assert shop.hits().paths == {f"{name} other": 1 for name in SHOPS}
    assert shop.port == 0
    with StorefrontProcess() as alone, pytest.raises(ConnectionRefusedError):
        status_of(f"{shop_url('kurly', alone.port)}/")


def test_address_of_a_shop_that_is_taken_is_named() -> None:
    """A port that was asked for is not changed in silence."""
    with socket.create_server((ADDRESSES["kurly"], 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on {ADDRESSES['kurly']}:{port}"):
            serve_storefront("127.0.0.1", port, lambda url: None, shops=True)
    with socket.create_server(("127.0.0.1", port)):
        pass  # nothing was left behind


def test_free_port_is_free_at_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another program has at a shop's address is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        taken_port = free.getsockname()[1]
    listen, asked = storefront._listener, []

    def at_first_the_taken_one(host: str, port: int) -> socket.socket:
        asked.append(port)
        return listen(host, taken_port if len(asked) == 1 else port)

    monkeypatch.setattr(storefront, "_listener", at_first_the_taken_one)
    with socket.create_server((ADDRESSES["musinsa"], taken_port)):
        listeners = storefront._listen("127.0.0.1", 0, [ADDRESSES["musinsa"]])
    ports = {listener.getsockname()[1] for listener in listeners}
    for listener in listeners:
        listener.close()
    assert len(ports) == 1
    assert taken_port not in ports
