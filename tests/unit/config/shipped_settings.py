"""The text of the shipped `config/pagemill.yaml`, and what users make of it."""

from __future__ import annotations

import re
from pathlib import Path

SETTINGS_TEXT = (Path(__file__).parents[3] / "config" / "pagemill.yaml").read_text(encoding="utf-8")


def with_profile(text: str, profile: str) -> str:
    """Names a profile in the line that is there for it."""
    changed, count = re.subn(r"^profile: null", f"profile: {profile}", text, flags=re.MULTILINE)
    assert count == 1
    return changed


def in_force(text: str) -> str:
    """Puts the lines into force that stand behind a #, as every line of 0.1's file was."""
    return re.sub(r"^( +)# (?=[a-z_]+:)", r"\1", text, flags=re.MULTILINE)
