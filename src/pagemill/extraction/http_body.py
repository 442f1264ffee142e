"""The body of an answer over HTTP, unpacked no further than it may be long: a few bytes can say any number of them."""

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
"""For zlib: whichever of its two headers is there, and none, as some servers send it."""


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        UnreadableBody: there is none that may be read.
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
        """Whether nothing more comes, whatever is sent."""
        return self._zlib.eof

    def unpack(self, piece: bytes, most: int) -> bytes:
        """What it holds, as far as it may be long."""
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
