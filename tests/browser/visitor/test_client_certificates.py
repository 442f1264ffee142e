"""A visitor proves itself with a certificate, which only Playwright's driver can do for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from pagemill.config.visitor_secrets import Credentials, VisitorSecrets
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate
from tests.browser.pool.real_pool import local_platform, real_pool

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

_PAGE = b"HTTP/1.1 200 X\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\nseen"


def certificate(folder: Path, name: str, *more: str, signer: str = "") -> None:
    """Makes NAME.pem and NAME.key, signed by another one or by itself."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"] if signer else []
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    subprocess.run([*command, *signed, *files, *more], cwd=folder, check=True, capture_output=True, timeout=30)


async def test_the_shop_lets_in_who_has_the_certificate_and_nobody_else(
    executable: Path, temporary: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From two files, and from one with a passphrase."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not on PATH")
    keys = tmp_path_factory.mktemp("keys")
    certificate(keys, "authority")
    certificate(keys, "server", "-addext", "subjectAltName=IP:127.0.0.1", signer="authority")
    certificate(keys, "visitor", signer="authority")
    pack = ["openssl", "pkcs12", "-export", "-inkey", "visitor.key", "-in", "visitor.pem", "-out", "visitor.pfx"]
    subprocess.run([*pack, "-passout", "pass:sesame"], cwd=keys, check=True, capture_output=True, timeout=30)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(keys / "authority.pem"))
    rules = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "authority.pem"))
    rules.load_cert_chain(keys / "server.pem", keys / "server.key")
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
