"""Pydantic model of one field of a source: where a fact stands, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.json_path import check_path
from pagemill.config.reading.patterns import Regex
from pagemill.config.section import Flag, Section
from pagemill.model import FactValue

_CONTAINED = "contains:"
_ONE_PLACE = "write either a selector or text_of (dom, in_page_fetch), or a path (the others, and below fetch)"
_BOOLEAN_ATTRIBUTES = frozenset(
    {"disabled", "checked", "selected", "readonly", "required", "hidden", "open", "multiple", "autofocus", "inert"}
)
"""HTML attributes that count by their presence, whatever their value."""
FieldType = Literal["text", "number", "boolean"]


@dataclass(frozen=True, slots=True)
class Words:
    """One line of a `map`: each of these words means that value. `*` is any text."""

    words: tuple[str, ...]
    contained: bool
    """Whether a text that contains the word counts as well, and not only the word alone."""
    value: FactValue


class FieldRule(Section):
    """Where a fact is found and how it is read.

    The place is one of `selector` (CSS, or several in order of preference), `text_of` (the words of `map` are looked
    for in the visible text of an element) or `path` (JMESPath, or keys with dots). The text found goes through `regex`,
    `map`, `prefix`, `strip_query` and `type`, in this order; `equals`, `contains` and `exists` make it a boolean.
    `else` is the value if nothing was found or understood, although the surrounding place was there.
    """

    selector: tuple[str, ...] = ()
    path: str | None = Field(default=None, min_length=1)
    text_of: str | None = Field(default=None, min_length=1)
    attribute: str | None = Field(default=None, min_length=1)
    visible: Flag = False
    exists: Flag = False
    type: FieldType = "text"
    equals: str | None = None
    contains: str | dict[str, FactValue] | None = None
    regex: Regex | None = None
    map: dict[str, FactValue] | None = None
    otherwise: FactValue = Field(default=None, alias="else")
    prefix: str | None = Field(default=None, min_length=1)
    strip_query: Flag = False
    decimal: Literal[".", ","] | None = None

    @field_validator("selector", mode="before")
    @classmethod
    def _selectors(cls, value: Any) -> Any:
        if value == ():  # the default
            return value
        if value == "":
            raise Mistake("must not be empty", "write some text, or remove the key")
        several = [value] if isinstance(value, str) else value
        if isinstance(several, list | tuple):
            if not several or not all(isinstance(one, str) and one.strip() for one in several):
                raise Mistake("must be a selector or a list of them", "write CSS selectors, such as [h1, .name]")
            return tuple(several)
        raise Mistake("must be a selector or a list of them", "write a CSS selector, such as h1.name")

    @field_validator("path")
    @classmethod
    def _path_can_be_read(cls, value: str | None) -> str | None:
        if value is not None:
            check_path(value)
        return value

    @field_validator("map", "contains", mode="before")
    @classmethod
    def _no_empty_words(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if not value:
                raise Mistake("is empty", "write words and what they mean, such as {Sold out: false}")
            for key, meaning in value.items():
                words = key.removeprefix(_CONTAINED).split("|") if isinstance(key, str) else []
                if not all(word.strip() for word in words):
                    raise Mistake("has an empty word", "write a word before and behind each |", key)
                if meaning is None or isinstance(meaning, list | dict):
                    raise Mistake("must mean a single value", "write text, a number, true or false", key)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        places = [name for name in ("selector", "path", "text_of") if getattr(self, name)]
        if len(places) != 1:
            both = " and ".join(f"a {name}" for name in places)
            raise Mistake(f"has both {both}" if places else "says nowhere where to read", _ONE_PLACE)
        makers = [name for name in ("equals", "contains", "exists") if getattr(self, name) not in (None, False)]
        if len(makers) > 1:
            raise Mistake(f"has both {' and '.join(makers)}", "keep one of them")
        if self.map and makers:
            raise Mistake(f"has both map and {makers[0]}", "keep one of them", "map")
        if self.map and isinstance(self.contains, dict):
            raise Mistake("has both map and contains", "write `contains:WORD` as a key of map", "map")
        if self.path is not None:
            for name in ("attribute", "visible", "exists"):
                if getattr(self, name):
                    raise Mistake("goes with a selector, not with a path", "remove it", name)
        if self.text_of is not None:
            if not self.map and not isinstance(self.contains, dict):
                raise Mistake("needs a map of the words to look for", "add map: {Sold out: sold_out}", "text_of")
            for name in ("attribute", "visible", "regex"):
                if getattr(self, name):
                    raise Mistake("goes with a selector, not with text_of", "remove it", name)
        if self.otherwise is not None and self.is_presence:
            raise Mistake("means nothing where presence counts: without it the fact is false", "remove it", "else")
        is_number = isinstance(self.otherwise, int | float) and not isinstance(self.otherwise, bool)
        if self.otherwise is not None and self.type == "number" and not is_number:
            raise Mistake("is no number", "write a number, or remove type: number", "else")
        lines = [key.split("|") for key in self.map or {}]
        if self.text_of is None and any("*" in words for words in lines[:-1]):
            raise Mistake("has lines behind '*', which every text fits", "move '*' to the end", "map")
        if self.exists and self.attribute is None and self.regex is not None:
            raise Mistake("means nothing where only presence counts", "remove it", "regex")
        if self.decimal is not None and self.type != "number":
            raise Mistake("means something to numbers only", "add type: number, or remove it", "decimal")
        return self

    @cached_property
    def words(self) -> tuple[Words, ...]:
        """The lines of `map`, or of a `contains` with several words, in order."""
        if isinstance(self.contains, dict):
            return tuple(_words(key, value, contained=True) for key, value in self.contains.items())
        return tuple(_words(key, value, contained=self.text_of is not None) for key, value in (self.map or {}).items())

    @property
    def is_presence(self) -> bool:
        """Whether the fact is the presence of something: an element, or one with a boolean attribute."""
        return self.exists or (
            self.attribute in _BOOLEAN_ATTRIBUTES and self.regex is None and self.equals is None and not self.words
        )

    @property
    def makes_boolean(self) -> bool:
        """Whether the fact is always true or false, whatever the text."""
        return self.is_presence or self.equals is not None or isinstance(self.contains, str)

    @property
    def kind(self) -> FieldType:
        """The type of the fact."""
        if self.makes_boolean:
            return "boolean"
        if self.type != "text":
            return self.type
        values = self.values
        if values and all(isinstance(value, bool) for value in values):
            return "boolean"
        if values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return "number"
        return "text"

    @property
    def values(self) -> tuple[FactValue, ...] | None:
        """All values that the fact can have; `None` if it can have any."""
        if self.makes_boolean:
            return (True, False)
        if not self.words:
            return None
        otherwise = () if self.otherwise is None else (self.otherwise,)
        return (*dict.fromkeys(line.value for line in self.words), *otherwise)


def _words(key: str, value: FactValue, *, contained: bool) -> Words:
    if key.startswith(_CONTAINED):
        key, contained = key.removeprefix(_CONTAINED), True
    return Words(tuple(word.strip() for word in key.split("|")), contained, value)


def as_rules(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Fields from the file, each as a list of rules. A bare text is a rule with that text under `key`."""
    return {name: _as_rules(rule, key) for name, rule in fields.items()}


def _as_rules(rule: Any, key: str) -> Any:
    several = rule if isinstance(rule, list | tuple) else [rule]
    return [{key: one} if isinstance(one, str) else one for one in several]
