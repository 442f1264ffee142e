"""Pydantic models of a platform's `steps`: what must be done in its page before it is read, in order.

`extraction.steps` does them.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.css_selector import Selector, check_selector
from pagemill.config.reading.extract import Extract
from pagemill.config.section import Section, Whole

StepKind = Literal["dismiss", "click", "fill", "press", "wait_for", "scroll", "reload_unless", "run"]

_KEYS = (
    *("Enter", "Escape", "Tab", "Space", "Backspace", "Delete"),
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"),
)
_UNCALLED = re.compile(r"\s*(?:async\s+)?(?:function\b|(?:\(\s*(?:[\w$,{}\s]*)\)|[\w$]+)\s*=>)")
"""A function that nobody calls, as other tools expect it. One that calls itself begins with two brackets."""
_SHOWN = 60
"""Characters of a step that messages show."""

LimitMs = Annotated[Whole, Field(ge=10, le=600_000)]


class Limited(Section):
    """A step that is tried again for up to `within_ms`."""

    within_ms: LimitMs = 5000


class Element(Limited):
    """A step on one element, as soon as that is there."""

    selector: Selector

    def __str__(self) -> str:
        return self.selector


class Passing(Element):
    """A step on an element that many pages do not have, so it is waited for less long."""

    within_ms: LimitMs = 2000


class Fill(Element):
    """Puts a text into a field; in a list, chooses the entry with that value or label."""

    text: str


class Press(Limited):
    """Presses a key, by default in the element that has the focus."""

    key: str
    selector: Selector | None = None

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if value not in _KEYS and len(value.strip()) != 1:
            near = get_close_matches(value.title(), _KEYS, n=1)
            remedy = f"did you mean `{near[0]}`?" if near else f"write one character, or one of {', '.join(_KEYS)}"
            raise Mistake(f"{value!r} is not a key", remedy)
        return value

    def __str__(self) -> str:
        return self.key if self.selector is None else f"{self.key} in {self.selector}"


class WaitFor(Limited):
    """Waits for an element, or for a text that a visitor sees."""

    selector: Selector | None = None
    text: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.selector is None) == (self.text is None):
            remedy = "write selector or text, and a second step for the other"
            raise Mistake("waits for nothing" if self.text is None else "has both selector and text", remedy)
        return self

    def __str__(self) -> str:
        return self.selector or repr(self.text)


class Scroll(Limited):
    """Scrolls through the document to its `end`, or until an element is in view."""

    within_ms: LimitMs = 10_000
    to: str = Field(min_length=1)

    @field_validator("to")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        return value if value == "end" else check_selector(value)

    def __str__(self) -> str:
        return f"to {self.to}"


class Run(Limited):
    """Runs JavaScript statements in the page's own world; they may use `await`."""

    script: str = Field(min_length=1)

    @field_validator("script")
    @classmethod
    def _does_something(cls, value: str) -> str:
        if _UNCALLED.match(value):
            raise Mistake("is a function that nobody calls", "write its body alone: document.body.dataset.x = 1")
        return value

    def __str__(self) -> str:
        return " ".join(self.script.split())


def _short(key: str) -> BeforeValidator:
    """Lets a bare text stand for the section with only that key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class PageStep(Section):
    """One step: exactly one of its keys is set."""

    dismiss: Annotated[Passing, _short("selector")] | None = None
    click: Annotated[Element, _short("selector")] | None = None
    fill: Fill | None = None
    press: Annotated[Press, _short("key")] | None = None
    wait_for: Annotated[WaitFor, _short("selector")] | None = None
    scroll: Annotated[Scroll, _short("to")] | None = None
    reload_unless: Annotated[Passing, _short("selector")] | None = None
    run: Annotated[Run, _short("script")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_one(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise Mistake("is no step", f"write a kind and what it is done to, such as `click: '#more'`: {_ALL}")
        known = [key for key in value if key in cls.model_fields]
        if len(known) > 1:
            raise Mistake(f"has {len(known)} kinds: {', '.join(known)}", "begin a step of its own for each, with -")
        if not value:
            raise Mistake("does nothing", f"write one of {_ALL}, or remove it")
        for key in known:
            if value[key] is None:
                raise Mistake("is empty", "say what it is done to; what begins with # needs quotes", key)
        return value

    @property
    def kind(self) -> StepKind:
        """Which kind of step it is."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def within_s(self) -> float:
        """How long the step may take."""
        limited: Limited = getattr(self, self.kind)
        return limited.within_ms / 1000

    def __str__(self) -> str:
        """What is done to which element, without the text that is filled in."""
        told = f"{self.kind.replace('_', ' ')} {getattr(self, self.kind)}"
        return told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1]}…"


_KINDS: tuple[StepKind, ...] = ("dismiss", "click", "fill", "press", "wait_for", "scroll", "reload_unless", "run")
_ALL = ", ".join(_KINDS)


def check_steps(steps: tuple[PageStep, ...], extract: Extract) -> None:
    """Checks that there is a page in which they can be done.

    Raises:
        Mistake: no source visits a page, or a source visits it by itself.
    """
    if not steps:
        return
    if not extract.visits_pages:
        raise Mistake("can never be done: no page is visited", "remove them, or add a source that reads the page")
    for source in extract.sources:
        if source.strategy == "in_page_fetch":
            remedy = "remove one of the two; strategy dom reads the same fields after the steps"
            raise Mistake("do not go with in_page_fetch, which visits no document", remedy)
        if source.is_own:
            raise Mistake("do not go with a class of your own, which visits its page itself", "do them in the class")
