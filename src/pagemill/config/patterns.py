"""Text that configuration holds to be compiled: regular expressions, and templates with `{names}`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import AfterValidator

from pagemill.config.mistakes import Mistake

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def check_regex(text: str) -> str:
    """The text itself, if it is a regular expression.

    Raises:
        Mistake: it is none.
    """
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        remedy = "mend it, or put a backslash before special characters"
        raise Mistake(f"is not a regular expression: {error}", remedy) from error
    return text


Regex = Annotated[str, AfterValidator(check_regex)]


@dataclass(frozen=True, slots=True)
class Part:
    """What one `{name}` stands for. `encoded`: it was cut out of an address, where it is percent-encoded already."""

    text: str
    encoded: bool = False

    @property
    def plain(self) -> str:
        """The text as people write it."""
        return unquote(self.text) if self.encoded else self.text

    @property
    def in_path(self) -> str:
        """As it stands in an address before its `?`: what was cut out of an address stays as it was."""
        return self.text if self.encoded else quote(self.text, safe="")

    @property
    def in_query(self) -> str:
        """As it stands in an address behind its `?`."""
        return quote(self.plain, safe="")


Names = Mapping[str, Part]
"""What every `{name}` of a template stands for; `id` and `url` are always there."""


def names_in(template: str) -> set[str]:
    """The names that the template mentions. Braces around anything else are just braces."""
    return set(_NAME.findall(template))


def fill_address(template: str, names: Names) -> str:
    """The address with every name filled in. `{url}` is a whole address, and stands as it is at the beginning.

    Every name of the template must be known.
    """
    query = template.find("?")

    def part(found: re.Match[str]) -> str:
        name = found[1]
        if name == "url" and found.start() == 0:
            return names[name].text
        return names[name].in_query if -1 < query < found.start() else names[name].in_path

    return _NAME.sub(part, template)


def fill_text(template: str, names: Names) -> str:
    """The text with every name filled in as people write it.

    A text that has braces of its own, such as a GraphQL query, is no template: it stays as it is.
    """
    rest = _NAME.sub(lambda found: "" if found[1] in names else found[0], template)
    if "{" in rest or "}" in rest:
        return template
    return _NAME.sub(lambda found: names[found[1]].plain, template)


def fill_json(value: object, names: Names) -> object:
    """The JSON value with every text in it filled in; keys stay."""
    if isinstance(value, str):
        return fill_text(value, names)
    if isinstance(value, dict):
        return {key: fill_json(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_json(inner, names) for inner in value]
    return value
