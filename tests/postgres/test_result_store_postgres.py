"""The store on PostgreSQL: the common contract, and what is special about a server."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import Engine, make_url, text

from pagemill.errors import DatabaseUnavailable, ResultRefused
from pagemill.results.store import ResultStore
from tests.unit.results.four_writers import assert_each_row_once_from_four_writers
from tests.unit.results.old_database import make_old_database, write_as_before
from tests.unit.results.result_values import make_result
from tests.unit.results.store_contract import StoreContract

pytestmark = pytest.mark.postgres


class TestStoreOnPostgres(StoreContract):
    """Everything that holds on every database."""


def test_four_processes_writing_at_once_leave_every_row_exactly_once(database_url: str) -> None:
    """The schema is empty, and all of them make its tables."""
    assert_each_row_once_from_four_writers(database_url)


def test_four_processes_upgrade_a_database_of_0_1_at_once(database_url: str) -> None:
    """One of them adds what is missing, and all of them write."""
    make_old_database(database_url)
    assert_each_row_once_from_four_writers(database_url)


def test_an_upgrade_rewrites_no_row(database_url: str, postgres: Engine, schema: str) -> None:
    """The table stays in its file, so that a large one takes no longer than a small one."""
    make_old_database(database_url)
    write_as_before(database_url, "A")
    before = file_of_results(postgres, schema)

    with ResultStore(database_url) as store:
        assert [result.final_url for result in store.read()] == [""]

    assert file_of_results(postgres, schema) == before


def test_an_upgrade_waits_for_who_reads_and_says_so(database_url: str, postgres: Engine, schema: str) -> None:
    """A backup holds the table: opening fails in time, takes nothing with it, and works afterwards."""
    make_old_database(database_url)
    with postgres.begin() as backup:
        backup.execute(text(f"SELECT * FROM {schema}.results"))
        with pytest.raises(DatabaseUnavailable, match=r"lock timeout.*wait for its end"):
            ResultStore(database_url, lock_timeout_s=0.05).open()

    with ResultStore(database_url) as store:
        assert store.write([make_result()]) == 1


def test_opening_waits_for_nobody_when_there_is_nothing_to_add(
    database_url: str, postgres: Engine, schema: str
) -> None:
    """A backup of a table that is as it should be keeps no worker from starting."""
    with ResultStore(database_url):
        pass
    with postgres.begin() as backup:
        backup.execute(text(f"SELECT * FROM {schema}.results"))
        with ResultStore(database_url, lock_timeout_s=0.05) as store:
            assert store.write([make_result()]) == 1


def test_who_may_not_change_the_table_is_told_who_may(database_url: str, postgres: Engine, schema: str) -> None:
    """A worker's own account often owns nothing."""
    make_old_database(database_url)
    role = f"{schema}_worker"
    with postgres.begin() as owner:
        owner.execute(text(f"CREATE ROLE {role}"))
        owner.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        owner.execute(text(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {role}"))
    as_worker = make_url(database_url).update_query_dict({"options": f"-csearch_path={schema} -crole={role}"})
    url = as_worker.render_as_string(hide_password=False)
    try:
        with pytest.raises(DatabaseUnavailable, match=r"permission denied.*Let the owner of its tables open it once"):
            ResultStore(url).open()

        with ResultStore(database_url), ResultStore(url) as store:
            assert store.write([make_result()]) == 1
    finally:
        with postgres.begin() as owner:
            owner.execute(text(f"DROP OWNED BY {role}"))
            owner.execute(text(f"DROP ROLE {role}"))


def test_a_url_without_a_driver_gets_ours(database_url: str) -> None:
    """`postgresql://`, as other programs write it, works too."""
    with ResultStore(database_url.replace("postgresql+psycopg://", "postgresql://")) as store:
        assert store.write([make_result()]) == 1


def test_a_locked_table_is_unavailable_and_well_again_afterwards(
    database_url: str, postgres: Engine, schema: str
) -> None:
    """The wait for a lock has an end, and the same store works when the lock is gone."""
    with ResultStore(database_url, lock_timeout_s=0.05) as store:
        with postgres.begin() as other:
            other.execute(text(f"LOCK TABLE {schema}.results IN EXCLUSIVE MODE"))
            with pytest.raises(DatabaseUnavailable, match="lock timeout"):
                store.write([make_result()])

        assert store.write([make_result()]) == 1


def test_a_connection_that_the_server_dropped_is_made_anew(database_url: str, postgres: Engine) -> None:
    """A restart of the server costs nothing once it is back."""
    with ResultStore(database_url) as store:
        store.write([make_result("A")])
        with postgres.begin() as other:
            other.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'pagemill' AND pid <> pg_backend_pid()"
                )
            )

        assert store.write([make_result("B")]) == 1


def test_a_key_too_long_for_its_index_is_refused_and_not_retried(database_url: str) -> None:
    """PostgreSQL calls it an operational error; it is the content all the same."""
    incompressible = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(6000))
    with ResultStore(database_url) as store, pytest.raises(ResultRefused):
        store.write([replace(make_result(), product_id=incompressible)])


def test_writers_in_opposite_orders_do_not_wait_for_each_other_in_a_circle(
    database_url: str, postgres: Engine, schema: str
) -> None:
    """Both are stopped in the middle by a third one; taken in the order given, A and B would then be a deadlock."""
    with ResultStore(database_url) as store:
        store.write([make_result("before")])
        new: list[int] = []
        writers = [
            threading.Thread(target=lambda: new.append(store.write([make_result(name) for name in "AMB"]))),
            threading.Thread(target=lambda: new.append(store.write([make_result(name) for name in "BMA"]))),
        ]
        with postgres.connect() as third:
            third.execute(
                text(
                    f"INSERT INTO {schema}.results SELECT run, 'M', batch, url, final_url, platform, verdict, reason, "
                    f"differences, facts, attempts, started_at, finished_at, worker FROM {schema}.results"
                )
            )
            for writer in writers:
                writer.start()
            while waiting_for_a_lock(postgres) < len(writers):
                time.sleep(0.01)
            third.rollback()
        for writer in writers:
            writer.join(30)

        assert sum(new) == 3
        assert [result.product_id for result in store.read()] == ["A", "B", "M", "before"]


def waiting_for_a_lock(postgres: Engine) -> int:
    with postgres.begin() as connection:
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE application_name = 'pagemill' AND wait_event_type = 'Lock'"
                )
            )
            or 0
        )


def file_of_results(postgres: Engine, schema: str) -> int:
    """The number of the file that holds the table; another one after every rewrite."""
    with postgres.begin() as connection:
        return int(connection.scalar(text(f"SELECT pg_relation_filenode('{schema}.results')")) or 0)
