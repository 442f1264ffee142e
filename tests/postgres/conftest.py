"""A schema of its own in a real PostgreSQL for every test.

The server is named by PAGEMILL_TEST_POSTGRES_URL, such as `postgresql+psycopg://user:password@127.0.0.1:5432/test`.
Without it these tests skip; where `CI` is set they fail.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "results"))
pytest.register_assert_rewrite("store_contract")

VARIABLE = "PAGEMILL_TEST_POSTGRES_URL"


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of the server's test database."""
    url = os.environ.get(VARIABLE, "")
    if not url:
        if os.environ.get("CI"):
            pytest.fail(f"{VARIABLE} is not set, and CI must not skip")
        pytest.skip(f"{VARIABLE} is not set: no PostgreSQL to test with")
    return url


@pytest.fixture(scope="session")
def postgres(postgres_url: str) -> Iterator[Engine]:
    """An engine beside the store's, for looking and locking."""
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()


@pytest.fixture
def schema(postgres: Engine) -> Iterator[str]:
    """The name of an empty schema, removed with everything in it afterwards."""
    name = f"pagemill_test_{secrets.token_hex(6)}"
    with postgres.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    yield name
    with postgres.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))


@pytest.fixture
def database_url(postgres_url: str, schema: str) -> str:
    """A URL whose tables go into this test's schema."""
    url = make_url(postgres_url).update_query_dict({"options": f"-csearch_path={schema}"})
    return url.render_as_string(hide_password=False)
