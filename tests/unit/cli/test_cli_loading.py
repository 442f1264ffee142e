"""What every command loads stays in the memory of every worker."""

from __future__ import annotations

import subprocess
import sys

_LIST = "import sys, pagemill.cli.main; print(*sys.modules, sep='\\n')"


def test_drafting_is_loaded_by_its_own_commands_only() -> None:
    """A worker never drafts."""
    done = subprocess.run([sys.executable, "-c", _LIST], capture_output=True, text=True, check=True, timeout=60)
    loaded = done.stdout.split()
    assert "pagemill.cli.draft" in loaded
    assert [name for name in loaded if name.startswith("pagemill.drafting")] == []
