"""The store on PostgreSQL: the common contract, and what is special about a server."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from pagemill.errors import DatabaseUnavailable
from pagemill.results.database import ResultRefused
from pagemill.results.store import ResultStore
from tests.unit.results.four_writers import assert_each_row_once_from_four_writers
from tests.unit.results.result_values import make_result
from tests.unit.results.store_contract import StoreContract

pytestmark = pytest.mark.postgres


class TestStoreOnPostgres(StoreContract):
    """Everything that holds on every database."""


def test_four_processes_writing_at_once_leave_every_row_exactly_once(database_url: str) -> None:
    """The schema is empty, and all of them make its tables."""
    assert_each_row_once_from_four_writers(database_url)


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
            with pytest.raises(DatabaseUnavailable, match="lock timeout") as raised:
                store.write([make_result()])

        assert raised.value.retryable
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
                    f"INSERT INTO {schema}.results SELECT run, 'M', batch, url, platform, verdict, reason, "
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
