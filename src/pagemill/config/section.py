"""The basis of all configuration models: sections that refuse unknown keys, strict values, ranges of milliseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, model_validator

from pagemill.config.mistakes import Mistake

Auto = Literal["auto"]
ResourceKind = Literal["image", "media", "font"]

Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]


@dataclass(frozen=True, slots=True)
class Changeable:
    """Marks the declaration of a setting that the control API can change in running workers."""

    name: str
    """The setting's name in `/memory/config`."""
    meaning: str
    """Its description in that API, with the unit."""
    figure: str = ""
    """Its name in `/api/v1/memory/stats`; empty if it is not shown there."""
    most: float | None = None
    """The highest value that the API accepts, if a file may have a higher one."""


class Section(BaseModel):
    """A frozen model in which an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False, serialize_by_alias=True
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        """A section whose lines are all commented out is read as nothing, and means the defaults."""
        return {} if value is None else value


class MsRange(BaseModel):
    """A range of milliseconds, written `3000-4000`, or `3000` for a fixed time."""

    model_config = ConfigDict(frozen=True)

    low_ms: int = Field(ge=0)
    high_ms: int = Field(ge=0)

    def __str__(self) -> str:
        return str(self.low_ms) if self.low_ms == self.high_ms else f"{self.low_ms}-{self.high_ms}"


def read_ms_range(value: Any) -> MsRange:
    """The range that a value of the configuration means.

    Raises:
        Mistake: it is no range.
    """
    if isinstance(value, MsRange):
        return value
    text = value if isinstance(value, str) and len(value) <= 40 else ""
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", text)
    if match is None:
        shown = repr(value) if isinstance(value, (str, int, float)) else "this"
        raise Mistake(f"{shown} is not a time in milliseconds", "write a whole number, or a span such as 3000-4000")
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise Mistake(f"{value!r} runs backwards", "write the smaller number first")
    return MsRange(low_ms=low, high_ms=high)


WaitMs = Annotated[MsRange, BeforeValidator(read_ms_range), PlainSerializer(str)]
