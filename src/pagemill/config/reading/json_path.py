"""Checks of JSON paths in the configuration: which kind each is, and whether it is valid. `extraction` follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from pagemill.config.mistakes import Mistake

_SPECIAL = re.compile(r"""[\[\]|&!()*{}"'`<>=,?]""")
_NAME = re.compile(r"\{[A-Za-z_]\w*\}")
_REMEDY = "see jmespath.org, or write plain keys with dots, such as offers.price"


def is_plain_path(path: str) -> bool:
    """Whether the path is only keys with dots between them; every other path is JMESPath."""
    return _SPECIAL.search(path) is None


def check_path(path: str) -> None:
    """Passes if the path can be read.

    Raises:
        Mistake: it is no JMESPath, or has an empty key.
    """
    if re.match(r"\$[.\[]", path):
        raise Mistake(f"{path!r} is JSONPath, not JMESPath", f"leave out the {path[:2].rstrip('[')} at the beginning")
    if name := _NAME.search(path):
        remedy = "leave it out: where products stand side by side with their ids, this one's is read"
        raise Mistake(f"{name[0]} is not filled in here: paths are no templates", remedy)
    if is_plain_path(path):
        if not all(path.split(".")):
            raise Mistake(
                f"{path!r} has an empty key", "write keys with single dots between them, such as offers.price"
            )
        return
    try:
        parsed = jmespath.compile(path).parsed
    except (JMESPathError, RecursionError) as error:
        cause = (str(error).splitlines() or ["it cannot be parsed"])[0]
        raise Mistake(f"{path!r} is no JMESPath: {cause}", _REMEDY) from error
    for node in _nodes(parsed):
        if node["type"] == "function_expression":
            _check_call(path, node["value"], len(node["children"]))


def _check_call(path: str, name: str, given: int) -> None:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        remedy = f"write one of {', '.join(sorted(Functions.FUNCTION_TABLE))}"
        raise Mistake(f"{path!r} calls {name}, which JMESPath does not have", remedy)
    signature = known["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        remedy = f"give it {len(signature)}{' or more' if variadic else ''}"
        raise Mistake(f"{path!r} gives {name} {given} arguments", remedy)


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yields a parsed expression and all its parts."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and "type" in one:
            yield one
            waiting += one.get("children", [])
