"""One finding of `pagemill check`, and running a check so that any error becomes a finding."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pagemill.errors import PagemillError

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. If it is not fine, the text says what to change."""

    subject: str
    fine: bool
    text: str
    exit_code: int = 1
    is_advice: bool = False
    """Nothing is wrong, but the text recommends something better."""


def looked_at(subject: str, look: Callable[[], str | Finding | Sequence[Finding]]) -> list[Finding]:
    """The findings of one check. A returned text means that all is well; any exception becomes a finding."""
    try:
        found = look()
    except PagemillError as error:
        return [Finding(subject, False, str(error), error.exit_code)]
    except Exception as error:  # noqa: BLE001 - the other looks must come all the same; this one is told
        said = f"{' '.join(f'{type(error).__name__}: {error}'.split())[:_SHOWN]} ({_place(error)})"
        return [Finding(subject, False, f"cannot be looked at: {said}. Mend that, or report this line")]
    if isinstance(found, str):
        return [Finding(subject, True, found)]
    return [found] if isinstance(found, Finding) else list(found)


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
