"""What a process without a browser measures of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.guard.own_process import OwnProcess

MB = 1024 * 1024


def test_memory_and_files_are_those_of_this_process(tmp_path: Path) -> None:
    """Memory that it takes and a file that it opens are seen at the next look."""
    process = OwnProcess()
    before = process.measure()
    taken = bytearray(b"x") * (64 * MB)
    with (tmp_path / "file").open("w"):
        after = process.measure()
    assert len(taken) == 64 * MB
    assert 50 < after.rss_mb - before.rss_mb < 80
    assert 50 < after.pss_mb - before.pss_mb < 80
    assert after.pss_mb <= after.rss_mb
    assert after.descriptors == before.descriptors + 1


@pytest.mark.parametrize(("cpus", "percent"), [(1, 25.0), (4, 6.2)])
def test_cpu_time_counts_since_the_look_before(cpus: int, percent: float) -> None:
    """As a share of all CPUs that it may use; the first look has nothing to compare with."""
    moments = iter([(100.0, 7.0), (110.0, 9.5), (110.0, 9.5)])
    at = [0.0, 0.0]
    process = OwnProcess(lambda: at[0], lambda: at[1], cpus)
    found = []
    for at[0], at[1] in moments:
        found.append(process.measure().cpu_percent)
    assert found == [0.0, percent, 0.0]
