"""Playwright's registry of devices, read from the installed package without starting its driver.

Older versions contain it as a JSON file. Since 1.6x it is an object literal in the driver's bundled script, with keys
that are bare words or JSON strings. `tests/browser/visitor/test_device_registry.py` compares what is read here with the
driver.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pagemill.config.mistakes import Mistake

_FILES = ("server/deviceDescriptorsSource.json",)
_BUNDLE = "coreBundle.js"
_BEGIN = re.compile(r"\bdeviceDescriptorsSource_default = (?=\{)")
_BARE_KEY = re.compile(r"^(\s*)([A-Za-z_]\w*):", re.MULTILINE)
_LONGEST = 1_000_000
"""Characters of the registry; it has less than 100,000."""


@dataclass(frozen=True, slots=True)
class Device:
    """What Playwright knows of one device. Sizes are in CSS pixels; the screen is turned like the window."""

    user_agent: str
    width: int
    height: int
    screen_width: int
    screen_height: int
    scale: float
    mobile: bool
    touch: bool


def find_device(name: str) -> Device:
    """The device of that name.

    Raises:
        Mistake: there is none, or the registry cannot be read.
    """
    devices = read_devices()
    if name in devices:
        return devices[name]
    by_lower = {known.lower(): known for known in devices}
    near = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    words = ", ".join(f"`{by_lower[word]}`" for word in near)
    remedy = f"did you mean {words}?" if near else "write a name of Playwright's registry, such as iPhone 15 or Pixel 7"
    raise Mistake(f"{name[:60]!r} is not a device that Playwright knows", remedy)


@cache
def read_devices() -> dict[str, Device]:
    """All devices by name.

    Raises:
        Mistake: this version of Playwright keeps them in an unknown place.
    """
    spec = find_spec("playwright")
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent / "driver" / "package" / "lib"
    try:
        raw = None if folder is None else _registry(folder)
        return {} if raw is None else {name: _device(entry) for name, entry in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "write viewport and user_agent instead, or install the version of Playwright that pagemill pins"
        raise Mistake("the registry of devices of this Playwright cannot be read", remedy) from error


def _registry(folder: Path) -> dict[str, Any]:
    for name in _FILES:
        if (folder / name).is_file():
            found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
            return found
    text = (folder / _BUNDLE).read_text(encoding="utf-8")
    begin = _BEGIN.search(text)
    if begin is None:
        raise ValueError("no registry in the bundle")
    literal = _BARE_KEY.sub(r'\1"\2":', text[begin.end() : begin.end() + _LONGEST])
    devices: dict[str, Any]
    devices, _end = json.JSONDecoder().raw_decode(literal)
    return devices


def _device(entry: dict[str, Any]) -> Device:
    viewport, screen = entry["viewport"], entry.get("screen", entry["viewport"])
    sides = [screen["width"], screen["height"]]
    if (sides[0] > sides[1]) != (viewport["width"] > viewport["height"]):
        sides.reverse()  # for a device held sideways, the registry has the screen of the upright one
    return Device(
        user_agent=entry["userAgent"],
        width=viewport["width"],
        height=viewport["height"],
        screen_width=sides[0],
        screen_height=sides[1],
        scale=float(entry["deviceScaleFactor"]),
        mobile=entry["isMobile"],
        touch=entry["hasTouch"],
    )
