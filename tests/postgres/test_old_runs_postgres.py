"""Old runs on PostgreSQL: the common contract, and what is special about a server."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, make_url, text

from pagemill.errors import DatabaseUnavailable
from pagemill.results.old_runs import OldRuns
from pagemill.results.store import ResultStore
from tests.unit.results.old_runs_contract import LIMIT, OldRunsContract, add_run

pytestmark = pytest.mark.postgres


class TestOldRunsOnPostgres(OldRunsContract):
    """Everything that holds on every database."""


def test_who_may_not_remove_rows_is_told_which_right_is_lacking(
    database_url: str, postgres: Engine, schema: str
) -> None:
    """A worker's own account often may only add."""
    with ResultStore(database_url) as store:
        add_run(store, "old", 40, 40, products=1)
    role = f"{schema}_worker"
    with postgres.begin() as owner:
        owner.execute(text(f"CREATE ROLE {role}"))
        owner.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        owner.execute(text(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {role}"))
    as_worker = make_url(database_url).update_query_dict({"options": f"-csearch_path={schema} -crole={role}"})
    try:
        with ResultStore(as_worker.render_as_string(hide_password=False)) as store:
            assert [run.run for run in OldRuns(store).before(LIMIT)] == ["old"]
            with pytest.raises(DatabaseUnavailable, match=r"permission denied.*Grant its account .*DELETE"):
                OldRuns(store).remove("old")
            assert [run.run for run in store.runs()] == ["old"]
    finally:
        with postgres.begin() as owner:
            owner.execute(text(f"DROP OWNED BY {role}"))
            owner.execute(text(f"DROP ROLE {role}"))
