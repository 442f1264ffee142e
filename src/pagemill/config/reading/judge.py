"""Pydantic models of a platform's `judge` section: which signs mean which verdict, and how facts are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.css_selector import Selector
from pagemill.config.reading.json_path import check_path, is_plain_path
from pagemill.config.reading.patterns import check_regex
from pagemill.config.reading.url_pattern import check_url_pattern
from pagemill.config.section import Flag, Number, Section, Whole
from pagemill.model import FactValue

Text = Annotated[str, Field(min_length=1)]


def _check_status(value: int) -> int:
    if value < 200 or 300 <= value < 400:
        raise Mistake("is never the status in the end: redirects are followed", "say with url where it leads")
    return value


Status = Annotated[Whole, Field(ge=100, le=599), AfterValidator(_check_status)]
Wanted = FactValue | tuple[FactValue, ...]
"""What a fact must be for a sign: one value, or any one of several."""

_IN_EVERY = re.compile(r"[/:]{1,3}|https?(?::/{0,2})?", re.IGNORECASE)
"""A part of every address of a shop, such as a slash or a scheme. Only a host can differ."""
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%")


class TextIn(Section):
    """A text that counts only in the visible text of certain elements."""

    within: Selector = Field(alias="in")
    says: Text


class ErrorSign(Section):
    """Words at a path of a JSON answer, also of an answer with an error status."""

    path: Text
    words: tuple[Annotated[str, Field(min_length=1)] | None, ...]

    @field_validator("path")
    @classmethod
    def _path_can_be_read(cls, value: str) -> str:
        check_path(value)
        return value

    @field_validator("words")
    @classmethod
    def _null_needs_a_plain_path(cls, value: tuple[str | None, ...], info: ValidationInfo) -> tuple[str | None, ...]:
        if not value:
            raise Mistake("is empty", "write the words that mean this verdict")
        if None in value and not is_plain_path(info.data.get("path", "")):
            remedy = "write plain keys with dots; JMESPath cannot tell null from what is not there"
            raise Mistake("null needs a plain path", remedy)
        return value


def _check_address(value: str) -> str:
    if value.startswith("re:"):
        check_regex(value.removeprefix("re:"))
    elif _IN_EVERY.fullmatch(value):
        remedy = "write a part of its path, or for the home page re:^https?://[^/]+/$"
        raise Mistake(f"{value!r} is in the address that is visited, too, so it can never be met", remedy)
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _form(value: Any) -> str:
    return "place" if isinstance(value, dict | TextIn) else "text"


AnyText = Annotated[Annotated[Text, Tag("text")] | Annotated[TextIn, Tag("place")], Discriminator(_form)]
WantedFacts = dict[str, Wanted]
TextSign = tuple[str, str]
"""A selector (`""` for the whole page), and the text that is looked for in what it selects."""


class VerdictSigns(Section):
    """The signs of a verdict; any one of them is enough.

    `status` is that of the document or answer. `text` and `selector` count where a visitor sees them. `url` is a part
    of the final address, `dialog` the message of a dialog. `facts` must all hold; `error` is in a JSON answer.
    """

    status: tuple[Status, ...] = ()
    text: tuple[AnyText, ...] = ()
    url: tuple[Annotated[Text, AfterValidator(_check_address)], ...] = ()
    dialog: tuple[Text, ...] = ()
    selector: tuple[Selector, ...] = ()
    facts: Annotated[tuple[WantedFacts, ...], BeforeValidator(_as_list)] = ()
    error: Annotated[tuple[ErrorSign, ...], BeforeValidator(_as_list)] = ()

    @field_validator("facts")
    @classmethod
    def _can_hold(cls, value: tuple[WantedFacts, ...]) -> tuple[WantedFacts, ...]:
        for facts in value:
            for name, wanted in facts.items():
                if wanted is None or wanted == () or (isinstance(wanted, tuple) and None in wanted):
                    message = "can never hold: what a page does not say is no sign"
                    raise Mistake(
                        message, "write a value that the field can have, or `exists: true` at the field", name
                    )
        return tuple(facts for facts in value if facts)

    @property
    def texts(self) -> tuple[TextSign, ...]:
        """The texts, each with the selector where it counts."""
        return tuple((text.within, text.says) if isinstance(text, TextIn) else ("", text) for text in self.text)


class Compare(Section):
    """How the fact of one field is compared with the catalogue's value."""

    ignore_query: Flag = False
    tolerance: Annotated[Number, Field(ge=0)] | str | None = None
    words: dict[str, tuple[Text, ...]] = Field(default_factory=dict)

    @field_validator("tolerance")
    @classmethod
    def _is_a_share(cls, value: float | str | None) -> float | str | None:
        if isinstance(value, str) and not _PERCENT.fullmatch(value):
            raise Mistake(f"{value!r} is no tolerance", "write a number from 0, or a share such as 2%")
        return value

    @field_validator("words", mode="before")
    @classmethod
    def _single_words(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: [one] if isinstance(one, str) else one for key, one in value.items()}
        return value

    @property
    def absolute(self) -> float:
        """By how much a number may differ."""
        return self.tolerance if isinstance(self.tolerance, int | float) else 0.0

    @property
    def percent(self) -> float:
        """By how much a number may differ, in percent of the expected number."""
        return float(self.tolerance.rstrip().removesuffix("%")) if isinstance(self.tolerance, str) else 0.0


def _short_compare(value: Any) -> Any:
    """`image: ignore_query` and `price: 2%` are short forms."""
    if value == "ignore_query":
        return {"ignore_query": True}
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return {"tolerance": value}
    return value


Comparisons = dict[str, Annotated[Compare, BeforeValidator(_short_compare)]]
Confirmable = Literal["changed", "gone", "sold_out", "off_sale"]

_USUAL: dict[str, dict[str, Any]] = {
    "gone": {"status": (404, 410)},
    "blocked": {"status": (403, 429)},
    "sold_out": {"facts": ({"in_stock": False},)},
    "off_sale": {},
}
_WITH_SHORT_FORM = ("sold_out", "off_sale")


class Judge(Section):
    """How facts become a verdict."""

    gone: VerdictSigns = VerdictSigns(status=(404, 410))
    off_sale: VerdictSigns = VerdictSigns()
    sold_out: VerdictSigns = VerdictSigns(facts=({"in_stock": False},))
    blocked: VerdictSigns = VerdictSigns(status=(403, 429))
    tolerance: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)
    compare: Comparisons = Field(default_factory=dict)
    require: tuple[str, ...] = ()
    confirm: tuple[Confirmable, ...] = ()
    landing: tuple[Annotated[Text, AfterValidator(check_url_pattern)], ...] = ()

    @field_validator("gone", "off_sale", "sold_out", "blocked", mode="before")
    @classmethod
    def _keep_the_usual(cls, value: Any, info: ValidationInfo) -> Any:
        """Adding one kind of sign keeps the usual others: a default stays until its own key is written.

        `sold_out: {in_stock: false}` is the short form of `{facts: {in_stock: false}}`. The empty section means no sign
        at all.
        """
        assert info.field_name is not None
        if isinstance(value, dict) and info.field_name in _WITH_SHORT_FORM and is_short_form(value):
            return {"facts": [value]}
        if value is None or isinstance(value, dict):
            return {**_USUAL[info.field_name], **(value or {})}
        return value

    def comparison(self, field: str) -> Compare:
        """How that field is compared."""
        compare = self.compare.get(field, _EXACT)
        if compare.tolerance is None and field in self.tolerance:
            return compare.model_copy(update={"tolerance": self.tolerance[field]})
        return compare

    @property
    def by_verdict(self) -> Mapping[str, VerdictSigns]:
        """The signs of each verdict."""
        return {"gone": self.gone, "off_sale": self.off_sale, "sold_out": self.sold_out, "blocked": self.blocked}


_EXACT = Compare()


def is_short_form(section: Mapping[str, Any]) -> bool:
    """Whether a section of signs has only facts: then each of its values is a single one.

    `status` may well be a field. But a single `text` is a sign whose brackets were forgotten.
    """
    if section.keys() & (VerdictSigns.model_fields.keys() - {"status"}):
        return False
    return all(not isinstance(value, list | dict | tuple) for value in section.values())
