"""What every command loads stays in the memory of every worker."""

from __future__ import annotations

import subprocess
import sys

_DRAFTING = "(name for name in sys.modules if name.startswith('pagemill.drafting'))"
    "import sys, pagemill.cli.main; print(*(name for name in sys.modules if name.startswith('pagemill.drafting')))"
)


def test_drafting_is_loaded_by_its_own_commands_only() -> None:
    """A worker never drafts."""
    done = subprocess.run([sys.executable, "-c", f"import sys, pagemill.cli.main; print(*{_DRAFTING})"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
