"""Paths into JSON as configuration writes them. Pure."""

from __future__ import annotations

import re

from pagemill.extraction.own_part import Path

_MADE = re.compile(r"(?=.*\d)[A-Za-z0-9]{10,}")
_TURN = re.compile(r"[a-z]\d|\d[a-z]", re.IGNORECASE)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expressions(path: Path, token: str = "", main: str = "") -> tuple[str, ...]:
    """The path as configuration writes it, the most lasting form first.

    Where an element of a list is on the way, the first that answers comes before the one at that place: what stands
    beside it changes from page to page.

    Args:
        path: keys and positions.
        token: the product's own id; as a key it stands for any key, and so does one that a program has made up.
        main: of a list whose elements say what each is for, the condition of the one that counts.
    """
    if main and sum(isinstance(key, int) for key in path) == 1 and all(_is_bare(key) for key in path):
        at = next(place for place, key in enumerate(path) if isinstance(key, int))
        before, behind = (".".join(str(key) for key in part) for part in (path[:at], path[at + 1 :]))
        return (f"{before}[?{main}].{behind} | [0]",)
    way = tuple("*" if key == token or _is_made(key) else key for key in path)
    if "*" in way:
        return (_first_of(way),) if all(key == "*" or _is_bare(key) for key in way) else ()
    if not path or not all(_is_bare(key) for key in path):
        return (_exact(path),) if path else ()
    lists = [at for at, key in enumerate(path) if isinstance(key, int)]
    if not lists:
        return (".".join(str(key) for key in path),)
    if lists == [len(path) - 1]:
        return (_exact(path),)
    return (_first_of(path), _exact(path))


def _is_made(key: str | int) -> bool:
    """Whether a key looks like one that the shop's next build makes anew: letters and digits in turn, and no words."""
    return isinstance(key, str) and _MADE.fullmatch(key) is not None and len(_TURN.findall(key)) > 1


def _is_bare(key: str | int) -> bool:
    """Whether it needs no quotes in JMESPath."""
    return isinstance(key, int) or _PLAIN_KEY.fullmatch(key) is not None


def _exact(path: Path) -> str:
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            word = key if _PLAIN_KEY.fullmatch(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text += f".{word}" if text else word
    return text


def _first_of(path: Path) -> str:
    """`queries[].state.goods.name | [0]`; an index at the very end picks one of the product's own values."""
    last = path[-1]
    tail = f"[{last}]" if isinstance(last, int) else ""
    way = path[:-1] if tail else path
    text = ""
    for key in way:
        text += "[]" if isinstance(key, int) else f".{key}" if text else key
    return f"{text} | [0]{tail}"
