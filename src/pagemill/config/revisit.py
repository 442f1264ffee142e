"""Pydantic model of when a product is visited again. `revisit` follows it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Flag, Number, Section


class Revisit(Section):
    """Whether a run leaves out products that were `ok` lately, and for how long."""

    enabled: Flag = False
    min_ttl_s: Number = Field(default=6 * 3600, gt=0)
    max_ttl_s: Number = Field(default=7 * 24 * 3600, gt=0)
    factor: Number = Field(default=2, ge=1, le=100)
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.max_ttl_s < self.min_ttl_s:
            raise Mistake(f"must not be below min_ttl_s, which is {self.min_ttl_s:g}", "write more", "max_ttl_s")
        return self
