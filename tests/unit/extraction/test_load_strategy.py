"""A platform's strategy is found by name, or by the dotted path of a user's own class."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.errors import ConfigError, PageLost, VisitFailed
from pagemill.extraction.sources import SourcesStrategy
from pagemill.extraction.strategy import Visit, load_strategy
from pagemill.model import PageReading, Product

PAGE = cast(Page, SimpleNamespace())
VISIT = Visit("https://shop.example/1", Product("1", "https://shop.example/1"), 1.0)

SOURCE = """
from playwright.async_api import Error
from pagemill.model import PageReading

class Good:
    def __init__(self, platform):
        self.name = platform.platform
    async def read(self, page, visit):
        return PageReading(200, visit.url, {"name": self.name})

class Crashing(Good):
    async def read(self, page, visit):
        raise Error("Page.evaluate: Target crashed")

class Wrong(Good):
    async def read(self, page, visit):
        return {"name": "x"}

class Mute:
    def __init__(self, platform): ...

class Picky:
    def __init__(self): ...
    async def read(self, page, visit): ...

not_a_class = 5
"""


def platform(strategy: str, **extract: Any) -> Platform:
    place = {"path": "x"} if strategy in ("jsonld", "api_capture") else {"selector": "x"}
    fields = {"name": place, "price": place}
    extract = {"strategy": strategy, "fields": fields} | extract
    return Platform.model_validate({"platform": "shop", "hosts": ["shop.example"], "extract": extract})


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that can be imported, with strategies good and bad."""
    name = f"own_strategies_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    (tmp_path / f"{name}_broken.py").write_text("1 / 0")
    (tmp_path / f"{name}_needy.py").write_text("import there_is_no_such_package")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_built_in_strategies_have_names() -> None:
    """Each is a source, alone or among others."""
    assert isinstance(load_strategy(platform("dom")), SourcesStrategy)
    assert isinstance(load_strategy(platform("jsonld")), SourcesStrategy)
    assert isinstance(load_strategy(platform("api_capture", match="/api/*")), SourcesStrategy)


async def test_an_own_strategy_is_made_with_the_platform(own_module: str) -> None:
    """What it leaves out counts as not said, so that the judge does not pass over it."""
    reading = await load_strategy(platform(f"{own_module}.Good")).read(PAGE, VISIT)
    assert reading == PageReading(200, VISIT.url, {"name": "shop", "price": None})


async def test_an_own_strategy_may_let_playwright_errors_through(own_module: str) -> None:
    """They arrive as pagemill's own."""
    with pytest.raises(PageLost, match="Target crashed") as caught:
        await load_strategy(platform(f"{own_module}.Crashing")).read(PAGE, VISIT)
    assert isinstance(caught.value.__cause__, PlaywrightError)


async def test_an_own_strategy_must_bring_a_reading(own_module: str) -> None:
    """Anything else names the class that is at fault."""
    with pytest.raises(VisitFailed, match=r"Wrong\.read returned dict"):
        await load_strategy(platform(f"{own_module}.Wrong")).read(PAGE, VISIT)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_package.module.Class", "no module named no_such_package"),
        ("{}.Missing", "has no class Missing"),
        ("{}.not_a_class", "has no class not_a_class"),
        ("{}.Mute", "has no read"),
        ("{}.Picky", "making it fails with TypeError"),
        ("{}_broken.Class", "importing it fails with ZeroDivisionError"),
        ("{}_needy.Class", "no module named there_is_no_such_package"),
    ],
)
def test_what_cannot_be_loaded_is_explained(own_module: str, path: str, message: str) -> None:
    """The file, the key and the cause are in one line."""
    with pytest.raises(ConfigError, match=message) as caught:
        load_strategy(platform(path.format(own_module)))
    assert str(caught.value).startswith("platforms/shop.yaml: extract.strategy:")
