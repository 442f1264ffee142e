"""Pydantic models of one source of facts: which strategy reads it, and where each fact stands there."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.reading.css_selector import Selector, check_selector
from pagemill.config.reading.field_rule import FieldRule, as_rules
from pagemill.config.reading.json_path import is_plain_path
from pagemill.config.reading.patterns import Regex, names_filled, names_in, texts_in
from pagemill.config.reading.strategies import STANDARD_FACTS, STRATEGIES, RuleForm, StrategyFacts, strategy_facts
from pagemill.config.reading.url_pattern import check_url_pattern
from pagemill.config.section import Section, Whole

_OWN_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_VARIABLE = re.compile(r"(?:[^\W\d]|\$)[\w$]*(?:\.[\w$-]+|\[\d+\])*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_HEADERS = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "upgrade", "te", "trailer", "accept-encoding"}
)


def _has_a_rule(value: tuple[FieldRule, ...]) -> tuple[FieldRule, ...]:
    if not value:
        raise Mistake("has no rule", "write at least one place")
    return value


FieldRules = Annotated[tuple[FieldRule, ...], AfterValidator(_has_a_rule)]
"""The rules of one field: the first that says something counts."""


def _check_strategy(value: str) -> str:
    if value not in STRATEGIES and not _OWN_NAME.fullmatch(value):
        known = ", ".join(STRATEGIES)
        raise Mistake(f"{value!r} is not a strategy", f"write {known}, or the dotted path of your own class")
    return value


class Fetch(Section):
    """The request that strategy `in_page_fetch` makes instead of visiting a product's page."""

    url: str | None = Field(default=None, min_length=1)
    pattern: Regex | None = Field(default=None, min_length=1)
    fields: dict[str, FieldRules] = Field(default_factory=dict)
    sample_every: Whole = Field(default=40, ge=2, le=1000)

    @field_validator("fields", mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare text is a path."""
        return as_rules(value, "path") if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.url is None:
            if self.fields:
                raise Mistake("mean nothing without a url", "add the url of the API, or remove them", "fields")
            return self
        if not self.fields:
            raise Mistake("is missing", "say where each field stands in the API's answer, as a path", "fields")
        if misplaced := _misplaced(self.fields, "path", "cannot be read from JSON", "fields"):
            raise Mistakes(misplaced)
        if not names_in(self.url) and not self.url.startswith("?"):
            raise Mistake("is the same for every product", "write {id} where the product's id stands", "url")
        return self

    @property
    def groups(self) -> frozenset[str]:
        """The names that `pattern` cuts out of a product's URL."""
        return frozenset(re.compile(self.pattern).groupindex if self.pattern else ())


class Source(Section):
    """One place that facts come from."""

    strategy: Annotated[str, AfterValidator(_check_strategy)] = "dom"
    fields: dict[str, FieldRules] = Field(default_factory=dict)
    frame: Selector | None = None
    match: str | None = Field(default=None, min_length=1)
    script: Selector | None = None
    variable: str | None = Field(default=None, min_length=1)
    document: Literal[True] | None = None
    url: str | None = Field(default=None, min_length=1)
    method: Literal["GET", "POST", "PUT"] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    json_body: Any = Field(default=None, alias="json")
    form: dict[str, str] | None = None
    within_ms: Whole | None = Field(default=None, ge=100, le=600_000)
    fetch: Fetch | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare text is a selector, or a path if the strategy uses paths."""
        if not isinstance(value, dict):
            return value
        strategy = value.get("strategy", "dom")
        place = strategy_facts(strategy).place if isinstance(strategy, str) else None
        fields = value.get("fields")
        if strategy == "structured" and fields is None:
            fields = {name: {"path": name, "type": kind} for name, kind in STANDARD_FACTS.items()}
        if strategy == "structured" and isinstance(fields, list) and all(isinstance(name, str) for name in fields):
            fields = {name: name for name in fields}
        if isinstance(fields, dict):
            if strategy == "structured":
                fields = {name: _typed(rule) for name, rule in fields.items()}
            value = {**value, "fields": as_rules(fields, place or "selector")}
        return value

    @field_validator("match")
    @classmethod
    def _match_can_be_read(cls, value: str | None) -> str | None:
        return None if value is None else check_url_pattern(value)

    @field_validator("document", mode="before")
    @classmethod
    def _is_the_document(cls, value: Any) -> Any:
        if value is False:
            raise Mistake("means nothing", "write true, or remove it")
        return value

    @field_validator("variable")
    @classmethod
    def _is_a_dotted_name(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise Mistake(f"{value!r} is not the name of a variable", "write it with dots, such as __STATE__.product")
        return value

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _TOKEN.fullmatch(name):
                raise Mistake(f"{name!r} is not the name of a header", "write letters, digits and -", name)
            if name.lower() in _FORBIDDEN_HEADERS:
                raise Mistake("is set by the connection itself", "remove it", name)
            if not text.isascii() or not text.isprintable():
                raise Mistake("has characters that a header cannot carry", "write plain ASCII", name)
        return value

    @model_validator(mode="after")
    def _fits_its_strategy(self) -> Self:
        facts = self.kind
        mistakes = _misplaced(self.fields, facts.place, f"strategy {self.strategy} cannot read this", "fields")
        if facts.place == "selector":
            mistakes += _no_selectors(self.fields)
        mistakes += [
            Mistake(f"means nothing to strategy {self.strategy}", f"remove it, or {instead}", key)
            for key, instead in _foreign_keys(self, facts)
        ]
        if facts.required and not any(getattr(self, key) is not None for key in facts.required):
            message, remedy = _MISSING[self.strategy]
            mistakes.append(Mistake(message, remedy, facts.required[0]))
        given = [key for key in facts.required if getattr(self, key) is not None]
        if len(given) > 1:
            mistakes.append(Mistake(f"has both {' and '.join(given)}", "keep one of them"))
        if not all(name.strip() for name in self.fields):
            mistakes.append(Mistake("has a field without a name", "write a name before the colon", "fields"))
        if not self.fields:
            said = "is empty" if "fields" in self.model_fields_set else "is missing"
            mistakes.append(Mistake(said, "add the key fields with at least one field, such as name: h1", "fields"))
        if mistakes:
            raise Mistakes(mistakes)
        if self.strategy == "structured":
            self._names_standard_facts()
        if self.strategy == "http":
            self._asks_for_each_product()
        if self.fetch is not None and self.fetch.fields and self.fetch.fields.keys() != self.fields.keys():
            differing = ", ".join(sorted(self.fetch.fields.keys() ^ self.fields.keys()))
            raise Mistake(
                "are not those of extract.fields", f"name the same ones: look at {differing}", "fetch", "fields"
            )
        return self

    def _names_standard_facts(self) -> None:
        unknown = [
            name
            for name, rules in self.fields.items()
            if any(is_plain_path(rule.path or "") and rule.path not in STANDARD_FACTS for rule in rules)
        ]
        if unknown:
            remedy = f"write one of {', '.join(STANDARD_FACTS)}"
            raise Mistakes([Mistake("is no fact that structured reads", remedy, "fields", name) for name in unknown])

    def _asks_for_each_product(self) -> None:
        if self.json_body is not None and self.form is not None:
            raise Mistake("has both json and form", "keep one of them")
        if self.method == "GET" and (self.json_body is not None or self.form is not None):
            raise Mistake("a GET carries no body", "write method: POST, or leave method out", "method")
        if self.url is None or names_in(self.url):
            return
        if not any(names_filled(text) for text in texts_in([self.json_body, self.form, self.headers])):
            raise Mistake("is the same for every product", "write {id} where the product's id stands", "url")

    @property
    def kind(self) -> StrategyFacts:
        """The facts about the source's strategy."""
        return strategy_facts(self.strategy)

    @property
    def reads_all_standard_facts(self) -> bool:
        """Whether it takes all standard facts that a page publishes, because the file names no fields."""
        return self.strategy == "structured" and self.fields.keys() == STANDARD_FACTS.keys()

    @property
    def is_own(self) -> bool:
        """Whether a class of the user's own reads it."""
        return self.strategy not in STRATEGIES


_MISSING = {
    "api_capture": ("is missing", "add the URL pattern of the answer that strategy api_capture reads"),
    "state": ("is missing", "add script (a selector), variable (a dotted name) or document: true"),
}


def _foreign_keys(source: Source, facts: StrategyFacts) -> list[tuple[str, str]]:
    """The keys in the file that the source's strategy does not use, each with what to do instead."""
    found = []
    for name in source.model_fields_set - {"strategy", "fields"}:
        key = Source.model_fields[name].alias or name
        if not getattr(source, name) or key in facts.keys:
            continue
        owner = next((known for known, its in STRATEGIES.items() if key in its.keys), "of your own")
        found.append((key, "write it below options" if source.is_own else f"use strategy {owner}"))
    return sorted(found)


def _misplaced(
    fields: dict[str, tuple[FieldRule, ...]], place: RuleForm | None, message: str, *above: str
) -> list[Mistake]:
    """A mistake for each field whose place is not of that form."""

    def fits(rule: FieldRule) -> bool:
        return rule.path is not None if place == "path" else rule.path is None

    unfit = [name for name, rules in fields.items() if not all(fits(rule) for rule in rules)]
    return [Mistake(message, f"write a {place} instead", *above, name) for name in unfit] if place else []


def _no_selectors(fields: dict[str, tuple[FieldRule, ...]]) -> list[Mistake]:
    """A mistake for each field with a selector that no browser could read."""
    found = []
    for name, rules in fields.items():
        for selector in (one for rule in rules for one in (*rule.selector, rule.text_of) if one is not None):
            try:
                check_selector(selector)
            except Mistake as mistake:
                found.append(Mistake(mistake.message, mistake.remedy, "fields", name))
                break
    return found


def _typed(rule: Any) -> Any:
    """A rule of `structured` with the type of its standard fact, unless it states another type."""
    if isinstance(rule, str):
        rule = {"path": rule}
    if isinstance(rule, dict) and rule.get("path") in STANDARD_FACTS and "map" not in rule:
        return {"type": STANDARD_FACTS[rule["path"]], **rule}
    return rule
