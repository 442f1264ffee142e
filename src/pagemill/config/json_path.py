"""Paths into JSON as configuration writes them: which kind each is, and whether it can be read. Following them is
`extraction`'s.
"""

from __future__ import annotations

import re

import jmespath
from jmespath.exceptions import JMESPathError

from pagemill.config.mistakes import Mistake

_SPECIAL = re.compile(r"""[\[\]|&!()*{}"'`<>=,?]""")
_REMEDY = "see jmespath.org, or write plain keys with dots, such as offers.price"


def is_plain(path: str) -> bool:
    """Whether the path is nothing but keys with dots between them; every other one is JMESPath."""
    return _SPECIAL.search(path) is None


def check_path(path: str) -> None:
    """Passes if the path can be read.

    Raises:
        Mistake: it is no JMESPath, or has an empty key.
    """
    if is_plain(path):
        if not all(path.split(".")):
            raise Mistake(
                f"{path!r} has an empty key", "write keys with single dots between them, such as offers.price"
            )
        return
    try:
        jmespath.compile(path)
    except (JMESPathError, RecursionError) as error:
        cause = (str(error).splitlines() or ["it cannot be parsed"])[0]
        raise Mistake(f"{path!r} is no JMESPath: {cause}", _REMEDY) from error
