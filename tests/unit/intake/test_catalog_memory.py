"""Reading a large catalogue takes no more memory than reading a small one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pagemill.intake.catalog import read_catalog
from pagemill.intake.rows import BadRow
from tests.unit.intake.intake_values import PLATFORM, url

ROWS = 40_000
GROWTH_LIMIT_MB = 12
"""The cache of the ids may hold 8 MB; the products of these files, kept, would take about 25 MB."""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to measure memory")
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_memory_stays_flat_while_many_rows_are_read(tmp_path: Path, ending: str) -> None:
    """Measured while reading, as resident memory of the whole process."""
    path = tmp_path / f"c.{ending}"
    with path.open("w") as out:
        if ending == "csv":
            out.write("id,url,name,price\n")
        for number in range(ROWS):
            row = {"id": f"P{number * 7919 % ROWS:08d}", "url": url(str(number)), "name": "가을 셔츠", "price": number}
            out.write((",".join(map(str, row.values())) if ending == "csv" else json.dumps(row)) + "\n")
    bad: list[BadRow] = []
    products = read_catalog(path, PLATFORM, bad.append)
    next(products)
    before_mb = peak_mb = resident_mb()

    count = 1
    for count, _ in enumerate(products, start=2):
        if count % 5000 == 0:
            peak_mb = max(peak_mb, resident_mb())

    assert (count, bad) == (ROWS, [])
    assert peak_mb - before_mb < GROWTH_LIMIT_MB
