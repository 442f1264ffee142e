"""A visitor proves itself with a certificate, which only Playwright's driver can do for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from pagemill.config.visitor.secrets import Credentials, VisitorSecrets
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate
from tests.browser.pool.real_pool import local_platform, real_pool
from tests.browser.visitor.certificates import certificate, openssl, server_tls

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

_PAGE = b"HTTP/1.1 200 X\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\nseen"


async def test_the_shop_lets_in_who_has_the_certificate_and_nobody_else(
    executable: Path, temporary: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From two files, and from one with a passphrase."""
    keys = tmp_path_factory.mktemp("keys")
    rules = server_tls(keys)
    certificate(keys, "visitor", signer="authority")
    pack = ["pkcs12", "-export", "-inkey", "visitor.key", "-in", "visitor.pem", "-out", "visitor.pfx"]
    openssl(keys, *pack, "-passout", "pass:sesame")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(keys / "authority.pem"))
    rules.verify_mode = ssl.CERT_REQUIRED
    names: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            shown = writer.get_extra_info("peercert") or {}
            names.extend(value for part in shown.get("subject", ()) for _, value in part)
            writer.write(_PAGE)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=rules)
    origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    files = {"cert_file": str(keys / "visitor.pem"), "key_file": str(keys / "visitor.key")}
    packed = {"pfx_file": str(keys / "visitor.pfx"), "passphrase": "SESAME"}
    secrets = VisitorSecrets(credentials={"SESAME": Credentials("nobody", "sesame")})
    async with real_pool(executable, temporary, secrets=secrets, open_timeout_s=10) as real:
        for one in (files, packed):
            platform = local_platform(visitor={"client_certificates": [{"origin": origin, **one}]})
            async with real.pool.lease(platform) as lease:
                assert await navigate(lease.page, f"{origin}/", 10) == 200
        assert names == ["visitor", "visitor"]
        with pytest.raises(VisitFailed):
            async with real.pool.lease(local_platform()) as lease:
                await navigate(lease.page, f"{origin}/", 10)
    server.close()
