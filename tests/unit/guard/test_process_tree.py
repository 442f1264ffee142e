"""Who belongs to a worker, and who does not: planted folders in place of /proc, and some real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pagemill.guard import process_tree
from pagemill.guard.process_tree import Member, ProcessTree, private_mb, private_mb_by_process
from tests.unit.guard.family import PlantedProc, family, idle_process

RENDERER = "chromium --type=renderer --lang=ko"
ZYGOTE = "chromium --type=zygote --headless"
BROWSER = "chromium --headless --user-data-dir=/tmp/profile"
DRIVER = "node cli.js run-driver"


@pytest.fixture
def proc(tmp_path: Path) -> PlantedProc:
    """An init, a stranger, and the worker: process 100."""
    planted = PlantedProc(tmp_path)
    planted.add(1, 0, "init")
    planted.add(50, 1, "bash")
    planted.add(100, 50, "python -m pagemill worker")
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("")
    return planted


def a_browser(proc: PlantedProc, parent: int = 110) -> None:
    """A browser 200 in a group of its own: zygote, two renderers, one helper."""
    proc.add(200, parent, BROWSER, group=200)
    proc.add(201, 200, ZYGOTE, group=200)
    proc.add(202, 201, RENDERER, group=200)
    proc.add(203, 201, RENDERER, group=200)
    proc.add(204, 200, "chromium --type=gpu-process", group=200)


def roles(members: list[Member]) -> dict[int, str]:
    return {member.pid: member.role for member in members}


@pytest.mark.parametrize(
    ("command", "name", "role"),
    [
        (RENDERER, "chromium", "renderers"),
        ("chromium --type=renderer", "chromium", "renderers"),
        ("chromium --type=gpu-process --lang=ko", "chromium", "gpu"),
        ("chromium --type=utility --utility-sub-type=network", "chromium", "utility"),
        (ZYGOTE, "chromium", "browser"),
        ("chromium --type=broker", "chromium", "browser"),
        ("chromium --type=something-new", "chromium", "other"),
        ("chromium --type=", "chromium", "other"),
        (BROWSER, "headless_shell", "browser"),
        ("sh /usr/bin/shell --headless", "sh", "browser"),
        ("/opt/chrome", "chrome", "browser"),
        (DRIVER, "node", "driver"),
        ("node server.js", "node", "other"),
        ("", "ended", "other"),
    ],
)
def test_the_command_tells_the_role(proc: PlantedProc, command: str, name: str, role: str) -> None:
    """What Chromium calls its processes, under the names that pagemill uses."""
    proc.add(110, 100, command, name=name)
    assert roles(ProcessTree(100, proc=proc.folder).members()) == {100: "python", 110: role}


def test_a_member_is_described(proc: PlantedProc) -> None:
    """Everything comes from the kernel's own lines; only what is not shared counts as its own."""
    proc.add(110, 100, DRIVER, state="D", group=77, ticks=4711, private_mb=30, shared_mb=12)
    driver = ProcessTree(100, proc=proc.folder).members()[1]
    assert driver == Member(
        pid=110, parent=100, role="driver", state="D", group=77, started_ticks=4711, private_mb=30.0
    )


@pytest.mark.parametrize("name", ["a b", ")", "x) S 1 1 (", "("])
def test_any_name_will_do(proc: PlantedProc, name: str) -> None:
    """The name stands between parentheses and may contain some itself."""
    proc.add(110, 100, DRIVER, name=name, state="R")
    assert [(each.pid, each.state) for each in ProcessTree(100, proc=proc.folder).members()] == [(100, "S"), (110, "R")]


def test_the_tree_is_the_root_and_all_below(proc: PlantedProc) -> None:
    """Not who is above or beside it."""
    proc.add(110, 100, DRIVER, group=100)
    a_browser(proc)
    proc.add(300, 50, BROWSER)
    proc.add(301, 300, RENDERER, group=300)
    assert roles(ProcessTree(100, proc=proc.folder).members()) == {
        100: "python",
        110: "driver",
        200: "browser",
        201: "browser",
        202: "renderers",
        203: "renderers",
        204: "gpu",
    }


def test_processes_that_vanish_are_gone(proc: PlantedProc) -> None:
    """Between the listing and the reading, or between two files of one: no error, and the others are there."""
    (proc.folder / "110").mkdir()
    (proc.add(111, 100, DRIVER) / "statm").unlink()
    (proc.add(112, 100, DRIVER) / "stat").write_text("112 (no")
    (proc.add(113, 100, DRIVER) / "stat").write_text("")
    (proc.add(114, 100, DRIVER) / "cmdline").unlink()
    proc.add(115, 100, DRIVER)
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members()) == {100: "python", 114: "other", 115: "driver"}
    proc.remove(115)
    assert roles(tree.members()) == {100: "python", 114: "other"}


def test_without_the_root_there_is_nothing(proc: PlantedProc) -> None:
    """A worker that ended has no tree."""
    assert ProcessTree(99, proc=proc.folder).members() == []


def test_a_zygotes_child_becomes_a_renderer(proc: PlantedProc) -> None:
    """It carries its parent's command until it writes its own over it, and a renderer it is from then on."""
    proc.add(110, 100, BROWSER)
    proc.add(111, 110, ZYGOTE)
    proc.add(112, 111, ZYGOTE, ticks=9)
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members())[112] == "browser"
    proc.add(112, 111, RENDERER, ticks=9)
    assert roles(tree.members())[112] == "renderers"
    proc.add(112, 111, "", ticks=9, state="Z")
    assert roles(tree.members())[112] == "renderers", "an ended one has no command any more"


@pytest.mark.parametrize(("before", "after", "role"), [("python", DRIVER, "driver"), (DRIVER, BROWSER, "browser")])
def test_a_fork_becomes_what_it_starts(proc: PlantedProc, before: str, after: str, role: str) -> None:
    """Until its own program runs, it looks like its parent."""
    proc.add(110, 100, before, ticks=9)
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members())[110] != role
    proc.add(110, 100, after, ticks=9)
    assert roles(tree.members())[110] == role


def test_a_process_id_used_again_is_another_process(proc: PlantedProc) -> None:
    """The start tells them apart."""
    proc.add(110, 100, RENDERER, ticks=9)
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members())[110] == "renderers"
    proc.add(110, 100, DRIVER, ticks=10)
    assert roles(tree.members())[110] == "driver"


def test_a_browser_whose_driver_was_killed_still_counts(proc: PlantedProc) -> None:
    """It belongs to init then: it, its old and its new processes are counted until the last has ended."""
    proc.add(110, 100, DRIVER, group=100)
    a_browser(proc)
    tree = ProcessTree(100, proc=proc.folder)
    tree.members()
    proc.remove(110)
    a_browser(proc, parent=1)
    assert roles(tree.members()).keys() == {100, 200, 201, 202, 203, 204}
    proc.add(205, 201, RENDERER, group=200)
    proc.add(206, 205, "crash handler", group=206)
    assert roles(tree.members()).keys() == {100, 200, 201, 202, 203, 204, 205, 206}
    proc.remove(200, 202, 203, 204, 205, 206)
    proc.add(201, 1, ZYGOTE, group=200)
    assert roles(tree.members()).keys() == {100, 201}
    proc.remove(201)
    assert roles(tree.members()).keys() == {100}
    proc.add(200, 1, "unrelated", group=200)
    assert roles(tree.members()).keys() == {100}, "the group's number went to somebody else"


def test_an_orphan_met_before_its_browser_was_known(proc: PlantedProc) -> None:
    """Taken for a stranger at first, and for one of a browser's group as soon as that is known."""
    proc.add(110, 100, "python", group=200)
    proc.add(207, 1, "crash handler", group=200)
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members()).keys() == {100, 110}
    proc.add(110, 100, BROWSER, group=200)
    tree.members()
    assert roles(tree.members()).keys() == {100, 110, 207}


def test_a_browser_in_the_workers_own_group_adds_no_strangers(proc: PlantedProc) -> None:
    """Others may be in that group: the shell's pipeline, say."""
    proc.add(100, 50, "python", group=60)
    proc.add(110, 100, BROWSER, group=60)
    proc.add(61, 50, "tee worker.log", group=60)
    tree = ProcessTree(100, proc=proc.folder)
    tree.members()
    assert roles(tree.members()).keys() == {100, 110}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on, by the end of their names."""
    files: list[str] = []
    original = process_tree.read_bytes

    def recording(path: str) -> bytes:
        files.append("/".join(path.rsplit("/", 2)[1:]))
        return original(path)

    monkeypatch.setattr(process_tree, "read_bytes", recording)
    return files


def test_strangers_are_read_once(proc: PlantedProc, read: list[str]) -> None:
    """A machine may have thousands of them; from time to time they are read all the same."""
    tree = ProcessTree(100, proc=proc.folder)
    counts = []
    for _ in range(1 + process_tree._READ_ALL_EVERY):
        read.clear()
        tree.members()
        counts.append((read.count("1/stat"), read.count("50/stat"), read.count("100/stat")))
    assert counts == [(1, 1, 1), *[(0, 0, 1)] * (process_tree._READ_ALL_EVERY - 1), (1, 1, 1)]


def test_a_strangers_id_may_become_ours(proc: PlantedProc) -> None:
    """Once it was seen to be gone."""
    proc.add(60, 50, "ls")
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members()).keys() == {100}
    proc.remove(60)
    tree.members()
    proc.add(60, 100, DRIVER)
    assert roles(tree.members()).keys() == {100, 60}


def test_an_orphan_handed_on_to_the_root_is_ours(proc: PlantedProc) -> None:
    """In a container the worker is often init: whoever loses its parent comes to it, maybe between two looks."""
    proc.add(111, 110, DRIVER)  # 110 has just gone
    tree = ProcessTree(100, proc=proc.folder)
    assert roles(tree.members()).keys() == {100}
    proc.add(111, 100, DRIVER)
    assert roles(tree.members()).keys() == {100, 111}


def test_lasting_roles_are_not_read_again(proc: PlantedProc, read: list[str]) -> None:
    """A renderer stays one; what may still change is read each time."""
    proc.add(110, 100, BROWSER)
    proc.add(111, 110, RENDERER)
    tree = ProcessTree(100, proc=proc.folder)
    tree.members()
    read.clear()
    tree.members()
    assert [file for file in read if file.endswith("cmdline")] == ["110/cmdline"]


def test_what_was_remembered_goes_with_its_processes(proc: PlantedProc) -> None:
    """Ten thousand renderers later the tree remembers as much as at first."""
    proc.add(110, 100, BROWSER)
    tree = ProcessTree(100, proc=proc.folder)
    for pid in range(1000, 1020):
        proc.add(pid, 110, RENDERER, group=110)
        proc.add(pid + 500, 50, "ls")
        tree.members()
        proc.remove(pid, pid + 500)
    tree.members()
    assert (tree._roles, tree._groups, tree._strangers) == ({}, {110}, {1, 50})


def test_real_processes_have_their_roles_and_memory() -> None:
    """A family of our own, read from the real /proc."""
    with family([["--type=renderer"], ["cli.js", "run-driver"]], mb=20) as pids:
        members = ProcessTree(pids[0]).members()
    assert {member.pid: member.role for member in members} == dict(
        zip(pids, ["python", "renderers", "driver"], strict=True)
    )
    assert all(19 < member.private_mb < 40 for member in members[1:])
    assert {member.parent for member in members[1:]} == {pids[0]}
    assert {member.group for member in members} == {os.getpgrp()}


def test_real_states() -> None:
    """Stopped, and ended without anybody having waited for it."""
    with idle_process() as stopped, idle_process() as ended:
        os.kill(stopped.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
        ended.kill()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        states = {member.pid: (member.state, member.private_mb) for member in ProcessTree(os.getpid()).members()}
        os.kill(stopped.pid, signal.SIGCONT)
    assert states[stopped.pid][0] == "T"
    assert states[ended.pid] == ("Z", 0.0)


def test_a_real_orphan_still_counts() -> None:
    """Its parent is killed, and so it is nobody's child in the tree any more."""
    script = (
        "import subprocess, sys\n"
        "idle = 'import sys; print(flush=True); sys.stdin.read()'\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', idle, '--headless'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin is not None and parent.stdout is not None
    with parent.stdin, parent.stdout:
        lines = [parent.stdout.readline().strip(), parent.stdout.readline().strip()]
        orphan = int("".join(lines))
        tree = ProcessTree(os.getpid())
        assert roles(tree.members())[orphan] == "browser"
        parent.kill()
        parent.wait(10)
        after = {member.pid: member for member in tree.members()}
        assert parent.pid not in after
        assert (after[orphan].role, after[orphan].group) == ("browser", orphan)
        assert after[orphan].parent not in after
        assert after[orphan].private_mb > 1


def test_private_memory_of_one_process() -> None:
    """What is there has some, what is not has none."""
    with idle_process() as living:
        assert (private_mb(living.pid) or 0) > 1
    assert private_mb(living.pid) is None


def test_private_memory_of_a_process_group() -> None:
    """Every member with what it has for itself; nobody else, and nothing when the group has ended."""
    with family([["one"], ["two"]], mb=20, own_group=True) as pids, idle_process():
        private = private_mb_by_process(os.getpgid(pids[0]))
        assert sorted(private) == sorted(pids)
        assert all(19 < private[pid] < 40 for pid in pids[1:])
        assert private[pids[0]] < 19
        group = pids[0]
    assert private_mb_by_process(group) == {}
