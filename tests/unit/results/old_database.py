"""A database as pagemill 0.1 made it, whichever it is: its tables, and how it wrote a row."""

from __future__ import annotations

from sqlalchemy import text

from pagemill.results.database import open_engine

_RUNS = """
CREATE TABLE runs (
    id TEXT{key} NOT NULL,
    platform TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at {moment} NOT NULL,
    sealed_at {moment},
    products INTEGER,
    batches INTEGER,
    skipped INTEGER,
    PRIMARY KEY (id)
)
"""
_RESULTS = """
CREATE TABLE results (
    run TEXT{key} NOT NULL,
    product_id TEXT{key} NOT NULL,
    batch TEXT NOT NULL,
    url TEXT NOT NULL,
    platform TEXT NOT NULL,
    verdict TEXT{key} NOT NULL,
    reason TEXT NOT NULL,
    differences JSON NOT NULL,
    facts JSON NOT NULL,
    attempts INTEGER NOT NULL,
    started_at {moment} NOT NULL,
    finished_at {moment} NOT NULL,
    worker TEXT NOT NULL,
    PRIMARY KEY (run, product_id)
)
"""
_INDEXES = (
    "CREATE INDEX ix_runs_created_at ON runs (created_at)",
    "CREATE INDEX ix_results_run_verdict ON results (run, verdict, product_id)",
)
_ROW = """
INSERT INTO results (run, product_id, batch, url, platform, verdict, reason, differences, facts, attempts, started_at,
    finished_at, worker)
VALUES ('run-1', :product_id, 'b00001', 'https://www.shop.com/old', 'shop', 'ok', '', '[]', '{"price": 12900}', 1,
    '2026-11-21 01:02:03.456789', '2026-11-21 01:02:04.956789', 'w1') ON CONFLICT DO NOTHING
"""


def make_old_database(url: str) -> None:
    """The empty tables of 0.1."""
    engine = open_engine(url)
    postgres = engine.dialect.name == "postgresql"
    words = {
        "key": ' COLLATE "C"' if postgres else "",
        "moment": "TIMESTAMP WITH TIME ZONE" if postgres else "DATETIME",
    }
    with engine.begin() as connection:
        for statement in (_RUNS, _RESULTS, *_INDEXES):
            connection.execute(text(statement.format(**words)))
    engine.dispose()


def write_as_before(url: str, *product_ids: str) -> None:
    """Rows of run `run-1`, as a worker of 0.1 writes them; it may work beside newer ones for a while."""
    engine = open_engine(url)
    with engine.begin() as connection:
        for product_id in product_ids:
            connection.execute(text(_ROW), {"product_id": product_id})
    engine.dispose()
