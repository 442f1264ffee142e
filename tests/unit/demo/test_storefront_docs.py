"""docs/storefront.md says what the shop does: its tables are compared with the ones in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.demo.faults import FAULTS
from pagemill.demo.shops.addresses import ADDRESSES, SHOPS
from pagemill.demo.shops.variants import VARIANTS
from pagemill.demo.truth import SHARES_PERMILLE, VERDICTS

DOCUMENT = Path(__file__).parents[3] / "docs" / "storefront.md"


def table_rows(first_column: str) -> dict[str, list[str]]:
    """The rows of all tables whose first column has that title, by the name in their first cell."""
    rows: dict[str, list[str]] = {}
    inside = False
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_column:
            inside = True
        elif inside and not line.startswith("|--"):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def test_every_fault_is_documented_as_it_is() -> None:
    """Kind, meaning, amount, verdict and retry."""
    expected = {}
    for kind, fault in FAULTS.items():
        amount = f"`{fault.amount.name}={fault.amount.default}`" if fault.amount else ""
        right = " or ".join(f"`{verdict}`" for verdict in (fault.right_verdict, *sorted(fault.also_right)))
        expected[kind] = [fault.what, amount, right, "yes" if fault.may_retry else "no"]
    assert table_rows("kind") == expected


def test_every_state_is_documented_with_its_share_and_verdict() -> None:
    """The shares that the demo's numbers come from."""
    documented = {name: cells[1:] for name, cells in table_rows("state").items()}
    assert documented == {
        state.value: [f"{permille / 10:g} %", f"`{VERDICTS[state]}`"] for state, permille in SHARES_PERMILLE.items()
    }


@pytest.mark.parametrize("shop", SHOPS)
def test_every_variant_of_a_shop_is_documented_as_it_is(shop: str) -> None:
    """What the shop answers, and the right status and verdict."""
    assert table_rows(shop) == {
        variant.name: [variant.what, f"`{variant.status}`" if variant.status else "", f"`{variant.verdict}`"]
        for variant in VARIANTS[shop]
    }


def test_every_shop_is_documented_with_its_address() -> None:
    """So that a link to it can be typed."""
    assert {name: cells[0] for name, cells in table_rows("shop").items()} == {
        shop: f"`{address}`" for shop, address in ADDRESSES.items()
    }
