"""The parts of the shop that are the same for every product: stylesheet, scripts, photos and filler markup.

Owns their sizes, and makes them once per shop from fixed seeds. Nothing is made at import, and nothing grows later. The
sizes are those of a measured workload (docs/storefront.md): 100 KB of script, 30 KB of CSS, images of 20 KB.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pagemill.demo.scripts import SHOP_SCRIPT

SCRIPT_BYTES = 100_000
CSS_BYTES = 30_000
PHOTO_COUNT = 10
PHOTO_SIDE_PIXELS = 400
MENU_BYTES = 30_000
REVIEWS_BYTES = 28_000
EXTRA_SCRIPTS = 3
"""How many scripts a heavy page loads besides `/static/shop.js`."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Static files by path below `/static/` with their content type, photos by number, and filler markup."""

    files: dict[str, tuple[bytes, bytes]]
    photos: tuple[bytes, ...]
    menu: bytes
    reviews: bytes


def make_assets() -> Assets:
    """Makes all assets: takes some tens of milliseconds and about 800 KB."""
    script = b"text/javascript; charset=utf-8"
    files = {
        "shop.css": (b"text/css; charset=utf-8", _padded(_css_rule, CSS_BYTES)),
        "shop.js": (script, SHOP_SCRIPT.encode() + _script(SCRIPT_BYTES - len(SHOP_SCRIPT), 0)),
    }
    for number in range(1, EXTRA_SCRIPTS + 1):
        files[f"extra-{number}.js"] = (script, _script(SCRIPT_BYTES, number))
    return Assets(
        files=files,
        photos=tuple(_photo(number) for number in range(PHOTO_COUNT)),
        menu=b"<ul>" + _padded(_menu_line, MENU_BYTES) + b"</ul>",
        reviews=b"<ol>" + _padded(_review_line, REVIEWS_BYTES) + b"</ol>",
    )


def _padded(line: Callable[[random.Random], str], size_bytes: int) -> bytes:
    rng = random.Random(7)
    lines: list[bytes] = []
    left_bytes = size_bytes
    while left_bytes > 0:
        lines.append(line(rng).encode())
        left_bytes -= len(lines[-1])
    return b"".join(lines)


def _script(size_bytes: int, number: int) -> bytes:
    """Small functions, as bundlers leave them, each of which runs once."""

    def module(rng: random.Random) -> str:
        a, b, c = (rng.randrange(1, 999) for _ in range(3))
        return (
            f"modules.push(function m{a}_{b}(x){{var t={a};for(var i=0;i<{1 + c % 5};i++)t=(t*{b}+x)%{c + 7};"
            f'return {{"k{a}":t,"label":"module {a}-{b}-{c}","on":t%2===0}};}});\n'
        )

    body = _padded(module, size_bytes - 120).decode()
    run = f"window.bundle{number}=modules.map(function(m,i){{return m(i)}});"
    return f"(function(){{var modules=[];\n{body}{run}}})();\n".encode()


def _css_rule(rng: random.Random) -> str:
    a, b = rng.randrange(999), rng.randrange(0xFFFFFF)
    return f".block-{a}>.part-{b % 40}{{color:#{b:06x};margin:{a % 16}px {b % 16}px;padding:{b % 9}px;display:block}}\n"


def _menu_line(rng: random.Random) -> str:
    a, b = rng.randrange(999), rng.randrange(40)
    return f'<li class="block-{a}"><a class="part-{b}" href="/c/{a}/{b}">Category {a} of department {b}</a></li>\n'


def _review_line(rng: random.Random) -> str:
    a, b, c = rng.randrange(999), rng.randrange(40), rng.randrange(1, 6)
    return (
        f'<li class="block-{a}"><b class="part-{b}">Customer {a}</b> <i>{c} of 5 stars</i>'
        f"<p>Order {a * 31 + b} fits as described and came after {c} days; the colour is a little darker.</p></li>\n"
    )


def _photo(number: int) -> bytes:
    """A 400 x 400 PNG of two colours whose random bits do not compress: about 20 KB."""
    rng = random.Random(number)
    row_bytes = PHOTO_SIDE_PIXELS // 8
    rows = b"".join(b"\0" + rng.randbytes(row_bytes) for _ in range(PHOTO_SIDE_PIXELS))
    palette_type = 3
    header = struct.pack(">IIBBBBB", PHOTO_SIDE_PIXELS, PHOTO_SIDE_PIXELS, 1, palette_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", rng.randbytes(6)), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
