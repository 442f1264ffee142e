"""Replaces a platform's file and keeps the old one."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_file(file: Path, text: str) -> None:
    """Replaces the file's text atomically; the old text stays as `NAME.yaml.before`.

    If the process is killed at any moment, either the old file or the new one is there.
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
