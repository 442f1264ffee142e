"""The embedded Redis: one private server per data folder, shared by all pagemill processes that use the folder.

Owns its start, its end and its files. Must not send data to the server: that is the clients' task.

Three locks in `<data folder>/redis` say who may do what. The kernel releases a lock when its holder dies, even by
kill -9, so nothing has to be cleaned up:

- `gate.lock`: held while a process joins or leaves, so that a start and a stop never overlap.
- `users.lock`: shared by all users of the server. A leaving process that can take it exclusively was the last one.
- `server.lock`: inherited and held by the server process itself. Two servers would destroy each other's files; this
  lock prevents that, even if the first one runs in another container.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pagemill.broker.file_lock import FileLock
from pagemill.broker.server_program import REMEDY, make_private_folder, server_command
from pagemill.config.child_environment import child_environment
from pagemill.errors import DeadlineExceeded, RedisUnavailable
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

START_TIMEOUT_S = 15.0
LOADING_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
_GATE_TIMEOUT_S = LOADING_TIMEOUT_S + STOP_TIMEOUT_S
_PING_TIMEOUT_S = 2.0
_POLL_S = 0.02
_LOG_LIMIT_BYTES = 1_000_000

_log = get_logger("redis")


class EmbeddedServer:
    """One process' share in the server of a data folder: the first process starts it, the last one stops it.

    A server left behind by a killed process is used again. Its data survives, because every write is appended to a
    file that is synced each second. It listens on a Unix socket that only this user can reach, never on TCP.
    """

    def __init__(self, data_folder: Path) -> None:
        """`data_folder`: the server's files live in its subfolder `redis`, which is created if needed."""
        absolute = data_folder.resolve()
        self._folder = absolute / "redis"
        # A socket's path may have at most 107 bytes, so it cannot lie in a data folder with a long path.
        name = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:12]
        self._socket_folder = Path(f"/tmp/pagemill-{os.getuid()}-{name}")  # noqa: S108 - checked in make_private_folder
        self._users = FileLock(self._folder / "users.lock")
        self._opened_by: int | None = None

    @property
    def socket_path(self) -> Path:
        """The Unix socket that the server listens on."""
        return self._socket_folder / "redis.sock"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Returns when the server answers, after starting it if it was not running.

        Raises:
            RedisUnavailable: it did not start in time; the message ends with the last lines of its log.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            gate = self._gate()
            try:
                make_private_folder(self._socket_folder)
                self._join()
            finally:
                gate.release()
        except DeadlineExceeded as error:
            raise RedisUnavailable(f"the embedded Redis is not ready: {error}. Try again, {REMEDY}") from error
        except OSError as error:
            raise RedisUnavailable(
                f"the embedded Redis cannot use its files: {error}. Make them accessible, {REMEDY}"
            ) from error

    def close(self) -> None:
        """Leaves; the last process stops the server and waits up to 10 s for its end. Raises nothing.

        In a forked child it only closes what the child inherited.
        """
        opened_by, self._opened_by = self._opened_by, None
        if opened_by is None:
            return
        if opened_by != os.getpid():
            self._users.release()
            return
        try:
            gate = self._gate()
        except (DeadlineExceeded, OSError):
            # Another process holds the gate for too long. The server stays; the next process to leave stops it.
            self._users.release()
            return
        try:
            self._leave()
        finally:
            gate.release()

    def _join(self) -> None:
        """Begins this process' share; called while the gate is held."""
        self._users.acquire(STOP_TIMEOUT_S, shared=True)
        try:
            if self._state() != "up":
                self._start_or_wait()
        except BaseException:
            self._leave()  # an interruption may come after the server has started
            raise
        self._opened_by = os.getpid()

    def _leave(self) -> None:
        """Ends this process' share; called while the gate is held."""
        self._users.release()
        if self._users.try_acquire():
            self._stop()
            self._users.release()

    def _gate(self) -> FileLock:
        gate = FileLock(self._folder / "gate.lock")
        gate.acquire(_GATE_TIMEOUT_S)
        return gate

    def _client(self, timeout_s: float) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket_path),
            socket_timeout=timeout_s,
            socket_connect_timeout=_PING_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )

    def _state(self) -> str:
        """`up`, `loading` (it reads its file) or `down`."""
        client = self._client(_PING_TIMEOUT_S)
        try:
            client.ping()
        except redis.exceptions.BusyLoadingError:
            return "loading"
        except redis.RedisError:
            return "down"
        finally:
            client.close()
        return "up"

    def _start_or_wait(self) -> None:
        server_lock = FileLock(self._folder / "server.lock")
        if server_lock.try_acquire():
            try:
                self._start(server_lock.descriptor)
            finally:
                # The server process has inherited the lock. Ours must be closed, or the lock would outlive the server.
                server_lock.release()
        self._wait_until_up()

    def _start(self, lock_descriptor: int) -> None:
        log_file = self._folder / "redis.log"
        if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT_BYTES:
            log_file.unlink()
        command = server_command(self._folder, self.socket_path, log_file)
        try:
            done = subprocess.run(
                command,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                pass_fds=(lock_descriptor,),
                # Ctrl-C at the terminal must not reach Redis: the queue must outlive the workers that drain.
                start_new_session=True,
                timeout=START_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded("starting redis-server", START_TIMEOUT_S) from error
        if done.returncode != 0:
            said = (done.stderr + done.stdout).decode(errors="replace").strip()
            raise RedisUnavailable(f"the embedded Redis did not start: {said[-500:]}. Correct that, {REMEDY}")

    def _wait_until_up(self) -> None:
        started_at = time.monotonic()
        limit_s = START_TIMEOUT_S
        while (state := self._state()) != "up":
            if state == "loading":
                limit_s = LOADING_TIMEOUT_S
            if not self._server_lives():
                raise RedisUnavailable(
                    f"the embedded Redis ended while it started: {self._log_tail()}. Correct that, {REMEDY}"
                )
            if time.monotonic() - started_at > limit_s:
                raise RedisUnavailable(
                    f"a redis-server uses {self._folder} but does not answer on {self.socket_path} (timeout after "
                    f"{limit_s:g} s): it is stuck, in another container, or the folder was moved; its log ends: "
                    f"{self._log_tail()}. End it, {REMEDY}"
                )
            time.sleep(_POLL_S)
        _log.info(events.REDIS_STARTED, folder=str(self._folder), socket=str(self.socket_path))

    def _server_lives(self) -> bool:
        probe = FileLock(self._folder / "server.lock")
        if probe.try_acquire():
            probe.release()
            return False
        return True

    def _stop(self) -> None:
        """Asks it to stop until it has ended; it may be starting or loading its file."""
        client = self._client(_PING_TIMEOUT_S)
        give_up_at = time.monotonic() + STOP_TIMEOUT_S
        try:
            while self._server_lives():
                with contextlib.suppress(redis.RedisError):
                    client.shutdown()
                if time.monotonic() >= give_up_at:
                    # A server that stays keeps its data safe. The next last process tries again.
                    _log.warning(events.TIMEOUT, what="stopping the embedded Redis", seconds=STOP_TIMEOUT_S)
                    return
                time.sleep(_POLL_S)
        finally:
            client.close()
        self._remove_socket()

    def _remove_socket(self) -> None:
        with contextlib.suppress(OSError):
            self.socket_path.unlink(missing_ok=True)
            self._socket_folder.rmdir()

    def _log_tail(self) -> str:
        try:
            text = (self._folder / "redis.log").read_text(errors="replace")
        except OSError:
            return "no log"
        return " | ".join(line.strip() for line in text.splitlines()[-3:]) or "an empty log"
