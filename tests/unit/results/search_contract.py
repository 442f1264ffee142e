"""What a search through a run does, whatever the database: `test_search` and `tests/postgres`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pagemill.model import Difference, Verdict
from pagemill.results.search import search_results
from pagemill.results.selection import Selection
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result


class SearchContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url) as opened:
            yield opened

    @staticmethod
    def found(store: ResultStore, text: str) -> list[str]:
        return [each.product_id for each in search_results(store, Selection("r1", text=text), 100).results]

    def test_text_is_looked_for_in_id_name_and_addresses(self, store: ResultStore) -> None:
        """Letters in either case, and nothing that stands for something else; other facts do not count."""
        store.write(
            [
                make_result("Blue-1", run="r1", facts={"name": "Shirt", "price": 1}),
                make_result("B2", run="r1", facts={"name": 'A blue "50%" shirt', "brand": "Roof"}),
                make_result(
                    "B3", run="r1", facts={"name": "린넨 셔츠_네이비"}, final_url="https://www.shop.com/moved/BLUE"
                ),
                make_result("B4", run="r1", facts={"name": None, "brand": "blue"}),
                replace(make_result("B5", run="r1", facts={}), expected={"name": "Blue moon"}),
                replace(make_result("B6", run="r1", facts={"name": 7}), expected={}),
                make_result("Blue-7", run="r2"),
            ]
        )
        assert self.found(store, "blue") == ["B2", "B3", "B5", "Blue-1"]
        assert self.found(store, '"50%"') == ["B2"]
        assert self.found(store, "셔츠_") == ["B3"]
        assert self.found(store, "0%") == ["B2"]
        assert self.found(store, "t_s") == []
        assert self.found(store, "shop.com/b") == ["B2", "B3", "B4", "B5", "B6", "Blue-1"]
        assert self.found(store, "roof") == []
        assert self.found(store, "\x00") == []

    def test_a_field_that_differs_is_looked_for(self, store: ResultStore) -> None:
        """By its whole name; what a page said may look like it and does not count."""
        like = '{"field":"price",'
        differences = {
            "A": (Difference("price", 1, 2),),
            "B": (Difference("name", "x", like), Difference('pri"ce', 1, 2)),
            "C": (Difference("name", "x", "y"), Difference("price", 1, 2)),
            "D": (Difference("list_price", 1, 2),),
        }
        store.write(
            [make_result(id, run="r1", verdict=Verdict.CHANGED, differences=each) for id, each in differences.items()]
        )

        def ids(field: str, **more: object) -> list[str]:
            wanted = replace(Selection("r1", field=field), **more)  # type: ignore[arg-type]
            return [each.product_id for each in search_results(store, wanted, 100).results]

        assert ids("price") == ["A", "C"]
        assert ids("name") == ["B", "C"]
        assert ids('pri"ce') == ["B"]
        assert ids("pric_") == []
        assert ids("price", verdicts=(Verdict.OK,)) == []
        assert ids("price", text="C") == ["A", "C"]  # it stands in the shop's address
        assert ids("price", text="com/c") == ["C"]
        assert ids("price", platform="other") == []

    def test_each_answer_looks_at_a_bounded_part(self, store: ResultStore) -> None:
        """One that finds less says where to go on, until all was looked at; nothing is told twice or left out."""
        store.write(
            [
                make_result(f"P{number:04}", run="r1", facts={"name": "rare" if number % 400 == 7 else "x"})
                for number in range(1000)
            ]
        )
        wanted = Selection("r1", text="rare")
        seen: list[str] = []
        places: list[str] = []
        while True:
            part = search_results(store, wanted, 2, places[-1] if places else "", most_rows=300)
            seen += [each.product_id for each in part.results]
            if not part.next_after:
                break
            places.append(part.next_after)
        assert seen == ["P0007", "P0407", "P0807"]
        assert places == ["P0299", "P0599", "P0899"]
        full = search_results(store, Selection("r1", text="p"), 2, "P0500", most_rows=300)
        assert ([each.product_id for each in full.results], full.next_after) == (["P0501", "P0502"], "P0502")
        assert search_results(store, wanted, 2, "P0999") == search_results(store, Selection("nobody", text="x"), 2)

    def test_what_has_an_index_is_not_looked_at_in_vain(self, store: ResultStore) -> None:
        """A part is one of results with the verdict that is wanted, however far apart they are."""
        store.write(
            [
                make_result(f"P{number:04}", run="r1", verdict=Verdict.FAILED if number % 100 == 0 else Verdict.OK)
                for number in range(1000)
            ]
        )
        part = search_results(store, Selection("r1", (Verdict.FAILED,), text="p0900"), 5, most_rows=10)
        assert [each.product_id for each in part.results] == ["P0900"]
