"""docs/upgrading.md names what an upgrade from 0.1 meets: columns, tables, and each old name with the new one."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from pagemill.config.platform import Platform
from pagemill.results import schema

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/upgrading.md").read_text(encoding="utf-8")


def test_every_new_table_and_column_is_named() -> None:
    """Those that the database of 0.1 has not."""
    with closing(sqlite3.connect(":memory:")) as old:
        old.executescript((ROOT / "tests/made_by_0_1/results.sql").read_text(encoding="utf-8"))
        before = {
            table: {row[1] for row in old.execute(f"PRAGMA table_info({table})")} for table in schema.metadata.tables
        }
    added = {table: set(schema.metadata.tables[table].c.keys()) - before[table] for table in before}
    assert any(before.values())
    assert all(before[table] or f"`{table}`" in TEXT for table in added)
    missing = [f"{table}.{column}" for table in added if before[table] for column in added[table] if column not in TEXT]
    assert missing == []


def test_every_renamed_key_is_named_with_both_names() -> None:
    """Those that a platform's file may still use."""
    old = {"viewport": {"width": 400}, "user_agent": "mine", "locale": "ko-KR"}
    platform = Platform.model_validate(
        {"platform": "shop", "hosts": ["shop.example"], "navigation": old, "extract": {"fields": {"name": "h1"}}}
    )
    assert len(platform.outdated) == len(old)
    assert [name for pair in platform.outdated.items() for name in pair if f"`{name}`" not in TEXT] == []


def test_every_old_name_of_python_is_named() -> None:
    """Those that warn when they are imported."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src/pagemill").rglob("*.py")]
    calls = [
        found for text in sources for found in re.findall(r"^__getattr__ = old_names\((.*?)\)$", text, re.M | re.S)
    ]
    names = {name for call in calls for name in re.findall(r"(\w+)=", call)}
    assert names >= {"Watch", "visit_page", "write_csv"}
    assert [name for name in names if name not in TEXT] == []
