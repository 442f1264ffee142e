"""Reads the body of an HTTP answer, unpacked only up to a limit: a few packed bytes can unpack to any number."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from pagemill.errors import UnreadableBody

if TYPE_CHECKING:
    import httpx

ACCEPTED = "gzip, deflate"
"""For the header `Accept-Encoding`: what is unpacked here."""
_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")
_EITHER_HEADER, _NO_HEADER = 47, -15
"""Window bits for zlib: 47 accepts the gzip and the zlib header, -15 expects none, as some servers send it."""


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        UnreadableBody: it is packed in an unknown or wrong way, or is too long.
        httpx.HTTPError: the network or the server failed.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in _PLAIN + _PACKED:
        raise UnreadableBody(f"the answer is packed as {packing[:40]!r}, and only {ACCEPTED} were asked for")
    unpacker = _Unpacker() if packing in _PACKED else None
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece if unpacker is None else unpacker.unpack(piece, max_bytes + 1 - len(body))
        if len(body) > max_bytes:
            raise UnreadableBody(f"the answer is longer than {max_bytes} bytes")
        if unpacker is not None and unpacker.is_over:
            break
    return bytes(body)


class _Unpacker:
    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_EITHER_HEADER)
        self._has_begun = False

    @property
    def is_over(self) -> bool:
        """Whether the packed data has ended; what follows is ignored."""
        return self._zlib.eof

    def unpack(self, piece: bytes, most: int) -> bytes:
        """Unpacks a piece, at most `most` bytes."""
        has_begun, self._has_begun = self._has_begun, True
        try:
            return self._zlib.decompress(piece, most)
        except zlib.error as error:
            if has_begun:
                raise _wrongly(error) from error
        self._zlib = zlib.decompressobj(_NO_HEADER)
        try:
            return self._zlib.decompress(piece, most)
        except zlib.error as error:
            raise _wrongly(error) from error


def _wrongly(error: zlib.error) -> UnreadableBody:
    return UnreadableBody(f"the answer is packed wrongly: {error}")
