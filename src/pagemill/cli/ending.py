"""How a command ends after an error."""

from __future__ import annotations

import sys
from typing import NoReturn

from pagemill import visible
from pagemill.errors import PagemillError


def end_with(error: PagemillError | OSError) -> NoReturn:
    """Ends the process with one line on standard error and the error's exit code."""
    sys.stderr.write(f"pagemill: {visible.lines(str(error))}\n")
    sys.exit(error.exit_code if isinstance(error, PagemillError) else 1)
