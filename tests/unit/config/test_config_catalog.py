"""What a platform says of its catalogue's table: what is read and written, and what must never be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.environment import read_environment
from pagemill.config.loading import load_config
from tests.unit.config.test_config_loading import SHOP, problems_of, write

COLUMNS = "columns: {price: sale_price, name: title}"


def shop(update: str, columns: str = COLUMNS) -> dict[str, str]:
    """A platform file whose last line is `catalog`."""
    return {"platforms/shop.yaml": f"{SHOP}catalog: {{table: goods, {columns}, update: {{{update}}}}}\n"}


def test_fields_that_are_never_written_are_left_out(tmp_path: Path) -> None:
    """Words may be of any kind; without `update` nothing is written."""
    update = f"{COLUMNS}, never: [name], words: {{name: {{'true': 'yes', A b: 3}}}}, gone: {{price: 1}}"
    config = load_config(write(tmp_path, shop(update)), {})
    found = config.platforms["shop"].catalog.update
    assert found.written == {"price": "sale_price"}
    assert found.words == {"name": {"true": "yes", "A b": 3}}
    assert (
        load_config(write(tmp_path, {"platforms/shop.yaml": SHOP}), {}).platforms["shop"].catalog.update.written == {}
    )


@pytest.mark.parametrize(
    ("update", "columns", "path", "message"),
    [
        ("columns: {prize: x}", COLUMNS, "columns.prize", "is not one of extract.fields"),
        ("columns: {price: x}, never: [prize]", COLUMNS, "never.prize", "is not one of extract.fields"),
        ("columns: {price: x}", "columns: {name: title}", "columns.price", "is not read, so no run knows"),
        ("columns: {price: nr}", "columns: {id: nr, price: nr}", "columns.price", "says which product a row is"),
        ("columns: {price: 'a b'}", COLUMNS, "columns.price", "is not a name in a database"),
        ("columns: {price: x}, gone: {name: x}", COLUMNS, "gone.name", "name is not one of update.columns"),
        ("columns: {price: x}, gone: {price: 0}", COLUMNS, "gone.price", "is never written to a number"),
        ("columns: {price: x}, sold_out: {price: a}", COLUMNS, "sold_out.price", "is never written to a number"),
        ("columns: {name: x}, gone: {name: null}", COLUMNS, "gone.name", "nothing is never written"),
        ("columns: {name: x}, words: {name: {a: ' '}}", COLUMNS, "words.name.a", "nothing is never written"),
    ],
)
def test_what_cannot_be_written_is_told(tmp_path: Path, update: str, columns: str, path: str, message: str) -> None:
    """With the key."""
    (problem,) = problems_of(write(tmp_path, shop(update, columns)))
    assert problem.path == f"catalog.update.{path}"
    assert message in problem.message


def test_the_account_that_may_write_is_a_secret(tmp_path: Path) -> None:
    """It may stand in a file, and is not shown."""
    (tmp_path / "url").write_text("postgresql://writer:hunter2@db/shop\n")
    environment, problems = read_environment({"PAGEMILL_CATALOG_WRITE_URL_FILE": str(tmp_path / "url")})
    assert problems == ()
    assert environment.catalog_write_url == "postgresql+psycopg://writer:hunter2@db/shop"
    assert "hunter2" not in repr(environment)
