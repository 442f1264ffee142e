"""Bodies of answers: unpacked where they are packed, and never further than they may be long."""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest

from pagemill.errors import UnreadableBody
from pagemill.extraction.http_body import read_body

TEXT = b'{"name": "cup"}'


def gzip(data: bytes) -> bytes:
    """As gzip has it."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def bare(data: bytes) -> bytes:
    """Deflate without any header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


class Sent(httpx.AsyncByteStream):
    """Pieces as a network brings them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


async def body(pieces: Iterable[bytes], packing: str | None = None, most: int = 100) -> bytes:
    """What is read of an answer."""
    headers = {} if packing is None else {"content-encoding": packing}
    return await read_body(httpx.Response(200, headers=headers, stream=Sent(pieces)), most)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        (None, TEXT),
        ("identity", TEXT),
        ("gzip", gzip(TEXT)),
        ("GZIP ", gzip(TEXT)),
        ("x-gzip", gzip(TEXT)),
        ("deflate", zlib.compress(TEXT)),
    ],
)
async def test_what_was_asked_for_is_unpacked(packing: str | None, packed: bytes, size: int) -> None:
    """In whatever pieces it comes."""
    assert await body((packed[at : at + size] for at in range(0, len(packed), size)), packing) == TEXT


async def test_deflate_without_a_header_is_unpacked() -> None:
    """Some servers send that."""
    assert await body([bare(TEXT)], "deflate") == TEXT


async def test_no_more_is_unpacked_than_may_be_read() -> None:
    """The bound itself may be reached."""
    assert await body([b"x" * 100]) == await body([gzip(b"x" * 100)], "gzip") == b"x" * 100
    for pieces, packing in (([b"x" * 101], None), ([gzip(b"x" * 50_000_000)], "gzip"), (itertools.repeat(b"x"), None)):
        with pytest.raises(UnreadableBody, match="longer than 100 bytes"):
            await body(pieces, packing)


async def test_what_follows_the_end_is_not_waited_for() -> None:
    """It may have none itself."""
    assert await body(itertools.chain([gzip(TEXT)], itertools.repeat(b"x" * 1000)), "gzip") == TEXT


@pytest.mark.parametrize(
    ("packing", "message"),
    [
        ("br", "packed as 'br'"),
        ("gzip, gzip", "packed as 'gzip, gzip'"),
        ("gzip", "packed wrongly"),
        ("deflate", "packed wrongly"),
    ],
)
async def test_what_cannot_be_unpacked_is_told(packing: str, message: str) -> None:
    """What was asked for is packed once, in one of two ways."""
    with pytest.raises(UnreadableBody, match=message):
        await body([b"\xff\xfe\xfd" * 9], packing)
    if packing == "gzip":
        with pytest.raises(UnreadableBody, match=message):
            await body([gzip(TEXT)[:-8], bytes(8)], packing)
