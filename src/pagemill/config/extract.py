"""Pydantic models of a platform's `extract` section: which strategy reads its pages, and where each fact is."""

from __future__ import annotations

import re
import string
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.section import Section, Whole

_STRATEGIES = ("dom", "jsonld", "api_capture", "in_page_fetch")
_PLACE_BY_STRATEGY: dict[str, Literal["selector", "path"]] = {
    "dom": "selector",
    "jsonld": "path",
    "api_capture": "path",
    "in_page_fetch": "selector",
}


def _check_regex(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        remedy = "mend it, or put a backslash before special characters"
        raise Mistake(f"is not a regular expression: {error}", remedy) from error
    return text


_Regex = Annotated[str, AfterValidator(_check_regex)]
_ONE_PLACE = "write either a selector (dom, in_page_fetch) or a path (jsonld, api_capture, below fetch)"


class FieldRule(Section):
    """Where a fact is found and how it is read.

    `selector` is CSS (`dom`, `in_page_fetch`); `path` is dotted (`jsonld`, `api_capture`, and below `fetch`).
    `attribute` reads an attribute instead of the text. `regex` narrows the text to its first group (or the whole
    match). `equals` and `contains` make the fact a boolean.
    """

    selector: str | None = Field(default=None, min_length=1)
    path: str | None = Field(default=None, min_length=1)
    attribute: str | None = Field(default=None, min_length=1)
    type: Literal["text", "number", "boolean"] = "text"
    equals: str | None = None
    contains: str | None = None
    regex: _Regex | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.selector is None) == (self.path is None):
            both = self.selector is not None
            raise Mistake("has both a selector and a path" if both else "says nowhere where to read", _ONE_PLACE)
        if self.equals is not None and self.contains is not None:
            raise Mistake("has both equals and contains", "keep one of them")
        if self.path is not None and self.attribute is not None:
            raise Mistake("goes with a selector, not with a path", "remove it", "attribute")
        return self


def _check_strategy(value: str) -> str:
    if value not in _STRATEGIES and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value):
        known = ", ".join(_STRATEGIES)
        raise Mistake(f"{value!r} is not a strategy", f"write {known}, or the dotted path of your own class")
    return value


def _with_rules(section: Any, key: str) -> Any:
    """The section with every field that is a bare string as a rule."""
    if not isinstance(section, dict) or not isinstance(section.get("fields"), dict):
        return section
    fields = {name: {key: rule} if isinstance(rule, str) else rule for name, rule in section["fields"].items()}
    return {**section, "fields": fields}


class Fetch(Section):
    """What strategy `in_page_fetch` asks for instead of visiting a product's page."""

    url: str | None = Field(default=None, min_length=1)
    pattern: _Regex | None = Field(default=None, min_length=1)
    fields: dict[str, FieldRule] = Field(default_factory=dict)
    sample_every: Whole = Field(default=40, ge=2, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare string is a path."""
        return _with_rules(value, "path")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.url is None:
            if self.fields:
                raise Mistake("mean nothing without a url", "add the url of the API, or remove them", "fields")
            return self
        if not self.fields:
            raise Mistake("is missing", "say where each field stands in the API's answer, as a path", "fields")
        if unfit := [name for name, rule in self.fields.items() if rule.path is None]:
            raise Mistakes(
                [Mistake("cannot be read from JSON", "write a path instead", "fields", name) for name in unfit]
            )
        groups = {"id", *(re.compile(self.pattern).groupindex if self.pattern else ())}
        try:
            names = {name for _, name, _, _ in string.Formatter().parse(self.url) if name is not None}
        except ValueError as error:
            raise Mistake(f"cannot be filled in: {error}", "write {id} where the product's id stands", "url") from error
        if not names:
            raise Mistake("is the same for every product", "write {id} where the product's id stands", "url")
        if unknown := sorted(names - groups):
            remedy = f"write one of {', '.join(sorted(groups))}, or name a group so in pattern"
            raise Mistake(f"{', '.join(unknown)} is not known", remedy, "url")
        return self

    def url_of(self, product_id: str, product_url: str) -> str | None:
        """The API's address for a product, relative to the product's; `None` if `pattern` does not fit its URL."""
        assert self.url is not None
        parts = {"id": product_id}
        if self.pattern is not None:
            found = re.search(self.pattern, product_url)
            if found is None:
                return None
            parts |= {name: text or "" for name, text in found.groupdict().items()}
        return self.url.format_map({name: quote(text, safe="") for name, text in parts.items()})


class Extract(Section):
    """How facts are read from a page."""

    strategy: Annotated[str, AfterValidator(_check_strategy)] = "dom"
    ready: str | None = Field(default=None, min_length=1)
    match: str | None = Field(default=None, min_length=1)
    fields: dict[str, FieldRule]
    fetch: Fetch = Fetch()

    @model_validator(mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare string is a selector, or a path where the strategy takes paths."""
        strategy = value.get("strategy", "dom") if isinstance(value, dict) else None
        return _with_rules(
            value, _PLACE_BY_STRATEGY.get(strategy, "selector") if isinstance(strategy, str) else "selector"
        )

    @field_validator("match")
    @classmethod
    def _match_fits_strategy(cls, value: str | None, info: ValidationInfo) -> str | None:
        strategy = info.data.get("strategy")
        if strategy == "api_capture" and value is None:
            raise Mistake("is missing", "add the URL pattern of the answer that strategy api_capture reads")
        if strategy in ("dom", "jsonld", "in_page_fetch") and value is not None:
            raise Mistake(f"means nothing to strategy {strategy}", "remove it, or use strategy api_capture")
        if value is not None and value.startswith("re:"):
            _check_regex(value.removeprefix("re:"))
        return value

    @field_validator("fields")
    @classmethod
    def _fields_fit_strategy(cls, value: dict[str, FieldRule], info: ValidationInfo) -> dict[str, FieldRule]:
        if not value:
            raise Mistake("is empty", "add at least one field, such as name: h1")
        strategy = info.data.get("strategy", "")
        place = _PLACE_BY_STRATEGY.get(strategy)
        unfit = [name for name, rule in value.items() if place is not None and getattr(rule, place) is None]
        if unfit:
            remedy = f"write a {place} instead"
            raise Mistakes([Mistake(f"strategy {strategy} cannot read this", remedy, name) for name in unfit])
        return value

    @field_validator("fetch")
    @classmethod
    def _fetch_fits_strategy(cls, value: Fetch, info: ValidationInfo) -> Fetch:
        strategy, fields = info.data.get("strategy"), info.data.get("fields")
        if value == Fetch() or strategy is None or fields is None:  # the latter two have mistakes of their own
            return value
        if strategy != "in_page_fetch":
            raise Mistake(f"means nothing to strategy {strategy}", "remove it, or use strategy in_page_fetch")
        if value.url is not None and value.fields.keys() != fields.keys():
            names = ", ".join(sorted(value.fields.keys() ^ fields.keys()))
            raise Mistake(
                "are not those of extract.fields", f"both must have the same names: look at {names}", "fields"
            )
        return value
