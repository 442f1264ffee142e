"""The pages of the control room and their files fit together, at the top of a host and below a proxy's path."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

import pytest

from pagemill.control_room.dashboard.static_files import BOARD, PAGES, ROOM, site

ID = re.compile(r'\bid="([^"]+)"')


@pytest.mark.parametrize("root", ["", "/pagemill"])
@pytest.mark.parametrize("page", PAGES)
def test_every_address_of_a_page_is_below_the_root(page: str, root: str) -> None:
    """And every file that it loads is there."""
    text = site(root).pages[page].content.decode()
    assert "{" not in re.sub(r"<style>.*?</style>", "", text)
    addresses = [each for each in re.findall(r'\b(?:href|src|action)="([^"]+)"', text) if each[0] not in "#d"]
    assert len(addresses) > 8
    files = f"{root}/performance/static/{site(root).version}/"
    for address in addresses:
        assert address.startswith(f"{root}/")
        assert not root or not address.startswith(f"{root}{root}")
        if address.startswith(files):
            assert address.removeprefix(files) in site(root).files


def test_both_pages_have_the_same_shell() -> None:
    """One top, one login, one dialog; no id twice."""
    pages = {name: site().pages[name].content.decode() for name in PAGES}
    for name, own in ((BOARD, "board"), (ROOM, "room")):
        ids = ID.findall(pages[name])
        assert len(ids) == len(set(ids))
        assert {"content", "login", "connection", "ask", "said", own} <= set(ids)


def test_every_module_imports_what_there_is() -> None:
    """By name, too: a browser tells of neither before somebody looks."""
    files = {name: file.content.decode() for name, file in site().files.items() if name.endswith(".js")}
    exported = {
        name: set(re.findall(r"^export (?:async )?(?:const|let|function|class) (\w+)", text, re.MULTILINE))
        for name, text in files.items()
    }
    looked_at = 0
    for name, text in files.items():
        if name == "plotly.min.js":
            continue
        for names, wanted in re.findall(r'^import \{([^}]*)\} from "([^"]+)";', text, re.MULTILINE):
            other = normpath(join(dirname(name), wanted))
            assert other in files, f"{name} imports {wanted}"
            missing = {each.strip().split(" as ")[0] for each in names.split(",")} - exported[other] - {""}
            assert not missing, f"{name} imports {missing} of {wanted}"
            for each in (each.strip().split(" as ")[-1] for each in names.split(",")):
                assert len(re.findall(rf"\b{each}\b", text)) > 1, f"{name} does not use {each}"
            looked_at += 1
    assert looked_at > 50


def test_every_element_that_a_script_asks_for_is_on_its_page() -> None:
    """Those of the room and of the board, or of the dialogs that the scripts make."""
    pages = "".join(site().pages[name].content.decode() for name in PAGES)
    scripts = [
        f.content.decode() for name, f in site().files.items() if name.endswith(".js") and name != "plotly.min.js"
    ]
    made = set(re.findall(r'\bid: "([\w-]+)"', "".join(scripts)))
    for text in scripts:
        for name in re.findall(r'\bbyId\("([\w-]+)"\)', text):
            assert name in {*ID.findall(pages), *made}, name
