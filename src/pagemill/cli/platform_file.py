"""Puts a platform's file in the place of the one that is there, which is kept."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_file(file: Path, text: str) -> None:
    """The file has that text afterwards, at once; what was there before stays as `NAME.yaml.before`.

    Whenever this is cut off, either the old file or the new one is there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if file.exists():
            shutil.copy2(file, f"{file}.before")
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
