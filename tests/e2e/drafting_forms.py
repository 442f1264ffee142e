"""The nine practice forms for whoever drafts: which pages to name, which products to judge afterwards, what is right.

Knows nothing of how a file is drafted. A platform file is right for a product when its verdict, name, prices and stock
are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pagemill.demo.catalogue import PLATFORM_PATHS, write_catalogue_csv
from pagemill.demo.shops.addresses import SHOPS, shop_url
from pagemill.demo.shops.catalogue import ShopRow, generate_shop
from pagemill.demo.shops.local import BACKOFF_MS, TIMEOUT_MS
from pagemill.demo.shops.variants import VARIANTS
from pagemill.demo.truth import ProductState, Truth, truth_of
from pagemill.model import Facts, FactValue, ItemResult, Product, Verdict
from tests.e2e.workplace import Workplace

FORMS = (*PLATFORM_PATHS, *SHOPS)
COLUMNS = ("id", "url", "name", "list_price", "price", "status")
JUDGED = 20

# Whoever drafts names products that differ: with and without a discount, and other kinds of price that the shop has.
_NAMED = {
    "musinsa": ("on-sale", "coupon", "no-list-price"),
    "ably": ("on-sale", "no-discount", "state-only"),
    "zigzag": ("on-sale", "no-discount", "shop-badge"),
    "kurly": ("on-sale", "no-discount", "zero-discount"),
    "oliveyoung": ("on-sale", "no-discount", "desktop-layout"),
    "hwahae": ("on-sale", "no-list-price", "on-sale"),
}
_NAMED_SOLD_OUT = {"ably": "sold-out"}
_NAMED_GONE = {
    "musinsa": "gone-404",
    "ably": "gone-today",
    "zigzag": "gone-null",
    "kurly": "gone",
    "oliveyoung": "gone-title",
    "hwahae": "gone-404",
}
_NAMED_OFF_SALE = {
    "musinsa": "stop-sale",
    "ably": "stopped",
    "zigzag": "suspended",
    "kurly": "unclear-stock",
    "oliveyoung": "stopped",
    "hwahae": "stopped",
}
_THERE = frozenset({Verdict.OK, Verdict.CHANGED, Verdict.SOLD_OUT})
_SEED_NAMED, _SEED_JUDGED = 3, 4


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A product to judge, and the truth about it. Of one that the shop does not show, `status` is `None`."""

    product: Product
    variant: str
    verdict: Verdict
    facts: Facts = field(default_factory=dict)
    has_list_price: bool = True

    def wrong_facts(self, said: Facts) -> tuple[str, ...]:
        """What a reading says wrongly, in words; nothing of a product that the shop does not show."""
        if self.facts.get("status") is None:
            return ()
        found = []
        for name in ("name", "price"):
            if not _same(self.facts.get(name), said.get(name)):
                found.append(f"{name} is {said.get(name)!r} instead of {self.facts.get(name)!r}")
        list_price = said.get("list_price")
        if self.has_list_price and not _same(self.facts.get("list_price"), list_price):
            found.append(f"list_price is {list_price!r} instead of {self.facts.get('list_price')!r}")
        if not self.has_list_price and list_price is not None and not _same(self.facts.get("price"), list_price):
            found.append(f"list_price is {list_price!r}, and the shop has none")
        if (status := stock_said(said)) != self.facts["status"]:
            found.append(f"status is {status!r} instead of {self.facts['status']!r}")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Form:
    """One practice form: the pages that are named to whoever drafts, and the products that are judged afterwards."""

    name: str
    on_sale: tuple[str, ...]
    sold_out: str
    gone: str
    off_sale: str | None
    gone_variant: str
    rows: tuple[JudgedRow, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """Every URL that is named."""
        return tuple(url for url in (*self.on_sale, self.sold_out, self.gone, self.off_sale) if url)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `pagemill draft` is given."""
        more = ("--off-sale", self.off_sale) if self.off_sale else ()
        return (self.name, *self.on_sale, "--sold-out", self.sold_out, "--gone", self.gone, *more)

    def write_catalogue(self, file: Path, rows: Sequence[JudgedRow] | None = None) -> None:
        """The judged products as a user's catalogue has them."""
        write_catalogue_csv(file, self.rows if rows is None else rows, COLUMNS)


@dataclass(slots=True)
class Tally:
    """How a platform file did on one form.

    `wrong_verdicts` are of products that the shop shows, and of those that are gone in the way that was named.
    `misleading` are products that it does not show and that are said to be there, `untold` those whose verdict is
    another one than it should be and misleads nobody: a way to be gone or blocked that no page that was named has.
    """

    form: str
    products: int = 0
    shown: int = 0
    wrong_facts: list[str] = field(default_factory=list)
    wrong_verdicts: list[str] = field(default_factory=list)
    misleading: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    @property
    def is_faultless(self) -> bool:
        """Whether there is no mistake at all."""
        return self.is_right and not self.untold

    @property
    def is_right(self) -> bool:
        """Whether all is right that could be known from the pages that were named."""
        return bool(self.products) and not (self.wrong_facts or self.wrong_verdicts or self.misleading)

    def count(self, row: JudgedRow, result: ItemResult, *, is_named: bool) -> None:
        """Adds one result; `is_named` says whether a page of its kind was named."""
        self.products += 1
        is_shown = row.facts.get("status") is not None
        self.shown += is_shown
        told = f"{row.variant} {row.product.id}"
        self.wrong_facts += [f"{told}: {mistake}" for mistake in row.wrong_facts(result.facts)]
        if result.verdict is row.verdict:
            return
        why = result.reason or {name: result.facts.get(name) for name in row.product.expected}
        line = f"{told}: {result.verdict.value}, not {row.verdict.value} ({why})"
        if is_shown or is_named:
            self.wrong_verdicts.append(line)
        else:
            (self.misleading if result.verdict in _THERE else self.untold).append(line)

    def __str__(self) -> str:
        facts = self.shown - len({line.split(":")[0] for line in self.wrong_facts})
        verdicts = self.products - len(self.wrong_verdicts) - len(self.misleading) - len(self.untold)
        mistakes = (*self.wrong_facts, *self.wrong_verdicts, *self.misleading, *self.untold)
        lines = "".join(f"\n    {line}" for line in mistakes)
        return f"{self.form}: facts {facts} of {self.shown}, verdicts {verdicts} of {self.products}{lines}"


def form_of(name: str, base_url: str, port: int) -> Form:
    """The form of that name, on the storefront at that address and port."""
    return _practice_form(name, base_url) if name in PLATFORM_PATHS else _shop_form(name, shop_url(name, port))


def judge_all(place: Workplace, forms: Iterable[Form], timeout_s: float = 170) -> dict[str, Tally]:
    """Judges every form's products by the platform files of that place: real commands, one worker for all of them."""
    forms = tuple(forms)
    runs = {}
    for form in forms:
        file = place.folder / f"{form.name}.csv"
        form.write_catalogue(file)
        queued = place.run("enqueue", str(file), "--platform", form.name)
        runs[form.name] = queued.stdout.split()[1].rstrip(":,")
    assert place.run("worker", "--burst", timeout_s=timeout_s).returncode == 0
    return {form.name: tally_of(form, place.results(runs[form.name])) for form in forms}


def tally_of(form: Form, results: Sequence[ItemResult]) -> Tally:
    """What is right and wrong in the results of a run over that form's products; each of them must have one."""
    by_id = {result.product_id: result for result in results}
    assert by_id.keys() == {row.product.id for row in form.rows}
    tally = Tally(form.name)
    for row in form.rows:
        tally.count(row, by_id[row.product.id], is_named=row.variant == form.gone_variant)
    return tally


def without_pace(file: Path) -> None:
    """Lets a platform file be tried at once: waits, limits and patience are other ones, nothing else is.

    Comments go, for the file is written anew.
    """
    data: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    workflow = data.setdefault("workflow", {})
    workflow["rate_limit"] = {"wait_time_ms": 0}
    workflow["concurrency"] = {"default": 4}
    workflow["breaker"] = {"enabled": False}
    data["retry"] = {**data.get("retry", {}), "backoff_ms": BACKOFF_MS}
    navigation = data.setdefault("navigation", {})
    navigation["timeout_ms"] = min(navigation.get("timeout_ms", TIMEOUT_MS), TIMEOUT_MS)
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def stock_said(facts: Mapping[str, FactValue]) -> FactValue:
    """What facts say of the stock, in the words of a catalogue's `status`."""
    if (status := facts.get("status")) is not None:
        return status
    in_stock = facts.get("in_stock")
    return {True: "on_sale", False: "sold_out"}.get(in_stock) if isinstance(in_stock, bool) else None


def _same(right: FactValue, said: FactValue) -> bool:
    if isinstance(right, int) and isinstance(said, (int, float)) and not isinstance(said, bool):
        return right == said
    return type(right) is type(said) and right == said


def _practice_form(name: str, base_url: str) -> Form:
    prefix = f"{base_url}/{PLATFORM_PATHS[name]}/p/"
    states = (
        [ProductState.OK] * 8
        + [ProductState.SOLD_OUT] * 4
        + [one for one in ProductState if one not in (ProductState.OK, ProductState.SOLD_OUT)]
    )
    rows = [_practice_row(prefix, truth_of(f"judged-{n:03d}.{state}")) for n, state in enumerate(states)]
    assert len(rows) >= JUDGED
    return Form(
        name,
        tuple(f"{prefix}named-{n}.ok" for n in range(3)),
        f"{prefix}named-9.sold-out",
        f"{prefix}named-8.{ProductState.GONE_TEXT}",
        None,
        ProductState.GONE_TEXT,
        tuple(rows),
    )


def _practice_row(prefix: str, truth: Truth) -> JudgedRow:
    """This shop has no list price, and its catalogue hopes that everything is on sale."""
    shown = truth.verdict in (Verdict.OK, Verdict.CHANGED, Verdict.SOLD_OUT)
    expected: dict[str, FactValue] = {"name": truth.listed_name, "price": truth.listed_price, "status": "on_sale"}
    facts: dict[str, FactValue] = {
        "name": truth.name,
        "price": truth.price,
        "status": ("on_sale" if truth.in_stock else "sold_out") if shown else None,
    }
    product = Product(truth.product_id, f"{prefix}{truth.product_id}", expected)
    return JudgedRow(product, truth.state, truth.verdict, facts, has_list_price=False)


def _shop_form(shop: str, url: str) -> Form:
    named = {row.truth.variant.name: row.product.url for row in _shop_rows(shop, url, _SEED_NAMED)}
    other = {row.truth.variant.name: row.product.url for row in _shop_rows(shop, url, _SEED_NAMED + 10)}
    on_sale: list[str] = []
    for variant in _NAMED[shop]:
        on_sale.append(named[variant] if named[variant] not in on_sale else other[variant])
    sold_out = _NAMED_SOLD_OUT.get(shop) or next(v.name for v in VARIANTS[shop] if v.verdict is Verdict.SOLD_OUT)
    return Form(
        shop,
        tuple(on_sale),
        named[sold_out],
        named[_NAMED_GONE[shop]],
        named[_NAMED_OFF_SALE[shop]],
        _NAMED_GONE[shop],
        tuple(_shop_row(row) for row in _shop_rows(shop, url, _SEED_JUDGED)),
    )


def _shop_rows(shop: str, url: str, seed: int) -> list[ShopRow]:
    """Every variant once, and then as they are drawn."""
    return list(generate_shop(shop, url, max(JUDGED, len(VARIANTS[shop]) + 2), seed=seed))


def _shop_row(row: ShopRow) -> JudgedRow:
    expected = {name: value for name, value in row.product.expected.items() if name in COLUMNS}
    product = Product(row.product.id, row.product.url, expected)
    facts = {"name": None, "price": None, "list_price": None, "status": None, **row.right_facts}
    return JudgedRow(product, row.truth.variant.name, row.right_verdict, facts)
