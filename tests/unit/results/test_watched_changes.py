"""Which results are told at once, by the platforms' files."""

from __future__ import annotations

from pathlib import Path

from pagemill.app.parts import result_store
from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.model import Difference, Verdict
from pagemill.results.notice_outbox import NoticeOutbox
from tests.unit.results.result_values import make_result

PRICE = (Difference("price", 1, 2),)


def test_the_store_of_every_process_watches_by_the_platforms_files(tmp_path: Path) -> None:
    """Those of a platform that watches nothing, or is not configured here, are results as others."""
    extract = {"fields": {"name": "h1", "price": ".price"}}
    shop = Platform.model_validate(
        {"platform": "shop", "hosts": ["a.b"], "extract": extract, "watch": {"fields": ["price"]}}
    )
    environment = Environment(database_url=f"sqlite:///{tmp_path}/results.db")
    config = Config(settings=Settings(), platforms={"shop": shop}, environment=environment)
    with result_store(config) as store:
        for run in ("r1", "r2"):
            store.create_run(run, "shop", "c.csv")
        store.write([make_result("A", run="r1", verdict=Verdict.CHANGED, differences=PRICE)])
        store.write([make_result("B", run="r2", verdict=Verdict.CHANGED, differences=(Difference("name", "a", "b"),))])
        assert [(run.run, run.has_changes) for run in NoticeOutbox(store).runs(9)] == [("r1", True), ("r2", False)]
