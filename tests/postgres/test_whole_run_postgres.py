"""The same run on SQLite and on PostgreSQL, four worker processes writing at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pagemill.demo.catalogue import generate, write_catalogue_csv
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.postgres, pytest.mark.browser, pytest.mark.timeout(300)]

AS_THE_RUN_WENT = ("run", "batch", "attempts", "started_at", "finished_at", "worker")
"""What differs between two runs of the same catalogue."""


def results_of_a_run(folder: Path, shop: StorefrontProcess, database_url: str) -> list[dict[str, Any]]:
    """What users see of it, without what may differ; all four processes had a part in it."""
    place = Workplace(folder)
    place.environment_changes["PAGEMILL_DATABASE_URL"] = database_url
    faults = ["status-500", "redirect-elsewhere", "dialog"]
    rows = list(generate("demo-hydrated", shop.base_url, 160, faults=faults))
    write_catalogue_csv(folder / "catalogue.csv", rows)
    place.run("enqueue", str(folder / "catalogue.csv"), "--platform", "demo-hydrated", "--batch-size", "10")
    with place.worker("--processes", "4", "--burst") as supervisor:
        assert supervisor.wait(240) == 0
    said = place.run("results", "--format", "jsonl").stdout
    results = sorted((json.loads(line) for line in said.splitlines()), key=lambda result: result["product_id"])
    assert [result["product_id"] for result in results] == sorted(row.product.id for row in rows)
    assert len({result["worker"] for result in results}) == 4
    return [{key: value for key, value in each.items() if key not in AS_THE_RUN_WENT} for each in results]


def test_both_databases_hold_the_same_results(tmp_path: Path, database_url: str) -> None:
    """Field by field."""
    with StorefrontProcess() as shop:
        on_postgres = results_of_a_run(tmp_path / "postgres", shop, database_url)
        on_sqlite = results_of_a_run(tmp_path / "sqlite", shop, f"sqlite:///{tmp_path}/results.db")
    assert on_postgres == on_sqlite
