"""Certificates that a test makes for itself, by the openssl of this machine."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, name: str, *more: str, signer: str = "") -> None:
    """Makes NAME.pem and NAME.key, signed by another one or by itself."""
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"] if signer else []
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", *signed, *files, *more)


def openssl(folder: Path, *arguments: str) -> bytes:
    """What the program writes."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not on PATH")
    command = ["openssl", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30).stdout


def server_tls(folder: Path, *names: str) -> ssl.SSLContext:
    """What a server at 127.0.0.1 and at these names proves itself with, by an `authority.pem` that nobody knows."""
    certificate(folder, "authority")
    all_names = ",".join(["IP:127.0.0.1", *(f"DNS:{name}" for name in names)])
    certificate(folder, "server", "-addext", f"subjectAltName={all_names}", signer="authority")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "authority.pem"))
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    return tls


def key_mark(folder: Path, name: str) -> str:
    """By which `--ignore-certificate-errors-spki-list` knows the key of NAME.key."""
    key = openssl(folder, "pkey", "-in", f"{name}.key", "-pubout", "-outform", "der")
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
