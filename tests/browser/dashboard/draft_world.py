"""A shop that is drafted, hostile texts among its own; a program that stands in for `pagemill draft` tells of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pagemill.control_room.control.drafts import Drafts
from pagemill.drafting.choose import draft_platform
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.file_text import file_text
from pagemill.drafting.told import ToldDraft, ToldPage, to_json
from pagemill.model import Verdict
from tests.browser.dashboard.room_world import HOSTILE
from tests.unit.drafting.pages import element, page, probe_of

SHOP = "https://www.shop.example/p"
PLACED = "placed"
_PROGRAM = """
import pathlib, sys, time
folder = pathlib.Path(__file__).parent
print('{"visited": 1, "of": 4}', flush=True)
while not (folder / "go").exists():
    time.sleep(0.02)
(folder / "go").unlink()
said = folder / "said"
if said.exists():
    print(said.read_text())
else:
    sys.exit("pagemill: HTTP 403. Does it open in an ordinary browser?")
"""


class DraftedShop:
    """What the next draft comes to; it waits at its second page until it may go on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        program = folder / "program.py"
        program.write_text(_PROGRAM)
        self.drafts = Drafts(command=(sys.executable, str(program)))

    def says(self, name: str) -> str:
        """Three products on sale and one sold out, named so; the file's text."""
        told = _told(name)
        (self._folder / "said").write_text(to_json(told))
        return file_text(told.parts)

    def refuses(self) -> None:
        """The shop turns the visitor away."""
        (self._folder / "said").unlink(missing_ok=True)

    def go_on(self) -> None:
        """To the end."""
        (self._folder / "go").touch()


def _told(name: str) -> ToldDraft:
    pages = [
        page(
            number,
            element("h1", f"{name} {number}", ("h1", PLACED)),
            element("p", f"{700 + number} won", (".price", PLACED)),
            role=PageRole.SOLD_OUT if number == 3 else PageRole.ON_SALE,
            state={
                "product": {
                    "no": 4000 + number,
                    "name": f"{name} {number}",
                    "salePrice": 700 + number,
                    "status": "SOLD_OUT" if number == 3 else "ON_SALE",
                }
            },
        )
        for number in range(4)
    ]
    drafted = asyncio.run(draft_platform("myshop", pages, probe_of(pages)))
    tried = [
        ToldPage(
            f"{SHOP}/{number}", PageRole.ON_SALE, Verdict.OK, Verdict.OK, "", {"name": f"{name} {number}"}, (HOSTILE,)
        )
        for number in range(4)
    ]
    return ToldDraft(drafted.parts, tuple(tried), (f"price: {HOSTILE}",))
