"""Another place for a field, chosen by hand: it comes first, the file stays valid, and nothing is visited."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import yaml

from pagemill.config.platform import Platform
from pagemill.drafting.by_hand import chosen_by_hand, field_places
from pagemill.drafting.choose import Draft, draft_platform
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.file_text import file_text
from pagemill.drafting.told import ToldDraft, from_json, to_json
from pagemill.errors import UsageError
from tests.unit.drafting.pages import element, page, probe_of

NAME = (("h1", "placed"),)


def _drafted() -> Draft:
    """Names in the page's state and in its heading; the last page is sold out."""
    pages = [
        page(
            number,
            element("h1", f"Red cup {number}", *NAME),
            role=PageRole.SOLD_OUT if number == 3 else PageRole.ON_SALE,
            state={
                "product": {
                    "no": 4000 + number,
                    "name": f"Red cup {number}",
                    "salePrice": 700 + number,
                    "status": "SOLD_OUT" if number == 3 else "ON_SALE",
                }
            },
        )
        for number in range(4)
    ]
    return asyncio.run(draft_platform("shop", pages, probe_of(pages)))


@pytest.mark.parametrize("name", ["name", "price", "status"])
def test_every_place_can_come_first(name: str) -> None:
    """In the file of that field; the others that were chosen stay behind it, and it is a platform's file."""
    drafted = _drafted()
    choice = next(one for one in drafted.choices if one.name == name)
    assert choice.rules
    for number, place in enumerate(field_places(choice)):
        parts = chosen_by_hand(drafted.parts, {name: number})
        now = next(one for one in parts.choices if one.name == name)
        assert now.rules[0] == place
        read = [source for source in parts.sources if name in source.fields]
        assert (read[0].key, read[0].fields[name][0]) == (place.source, place.rule)
        assert set(map(str, choice.rules)) <= set(map(str, now.rules))
        text = file_text(parts)
        Platform.model_validate(yaml.safe_load(text))
        assert ("chosen by hand" in text) is (number > 0)


def test_no_place_is_offered_twice() -> None:
    """A guess may say in the same words what was chosen, trusted otherwise."""
    choice = next(one for one in _drafted().choices if one.name == "price")
    again = replace(choice, guesses=(*choice.guesses, *(replace(rule, trust=1.0) for rule in choice.rules)))
    assert field_places(again) == field_places(choice)


def test_no_pick_changes_nothing() -> None:
    """Nor does the one that is first already."""
    drafted = _drafted()
    assert file_text(chosen_by_hand(drafted.parts, {})) == drafted.text
    assert file_text(chosen_by_hand(drafted.parts, {"name": 0})) == drafted.text


@pytest.mark.parametrize(
    ("picks", "why"),
    [({"colour": 0}, "colour is no field of this draft: choose among name"), ({"name": 99}, "name has no place 99")],
)
def test_what_is_not_there_is_told(picks: dict[str, int], why: str) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match=why):
        chosen_by_hand(_drafted().parts, picks)


def test_it_is_the_same_after_the_way_through_json() -> None:
    """Numbers stay numbers, and so do the texts."""
    drafted = _drafted()
    told = from_json(to_json(ToldDraft(drafted.parts, (), ("price: unsure",))))
    assert file_text(told.parts) == drafted.text
    assert [choice.rules for choice in told.parts.choices] == [choice.rules for choice in drafted.choices]
    assert told.lacking == ("price: unsure",)
