"""The embedded Redis: one private server per data folder, shared by all pagemill processes that use the folder.

Owns its start, its end and its files. Must not use the server for anything: that is the clients'.

Three locks in `<data folder>/redis` say who may do what; the kernel gives each back when its holder dies, kill -9
included, so nothing has to be cleaned up:

- `gate.lock`: held while a process joins or leaves, so that starting and stopping never overlap.
- `users.lock`: shared by everybody who uses the server. Who leaves and can take it alone was the last.
- `server.lock`: held by the server process itself, which inherits it. Two servers on the same files would destroy
  them; with this they cannot exist, even when the first one is hidden in another container.
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
    """One process's share in the server of a data folder: the first to open starts it, the last to close stops it.

    A server left behind by a killed process is taken over. The data survives: everything is appended to a file and
    synced every second. It listens on a Unix socket that only this user can reach, never on TCP.
    """

    def __init__(self, data_folder: Path) -> None:
        """Args: data_folder: the server's files live in its subfolder `redis`; it is created if need be."""
        absolute = data_folder.resolve()
        self._folder = absolute / "redis"
        # A socket's path may have 107 bytes; the data folder's may have any number.
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
        """Returns when the server answers, starting it if nobody did.

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
        """Leaves; the last one stops the server and waits for its end, at most 10 s. It raises nothing.

        In a forked child it only forgets what the child inherited.
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
            # Somebody is stuck at the gate. The server stays; the next one to leave stops it.
            self._users.release()
            return
        try:
            self._leave()
        finally:
            gate.release()

    def _join(self) -> None:
        """Begins this process's share; the gate is held."""
        self._users.acquire(STOP_TIMEOUT_S, shared=True)
        try:
            if self._state() != "up":
                self._start_or_wait()
        except BaseException:
            self._leave()  # an interruption may come when the server has started
            raise
        self._opened_by = os.getpid()

    def _leave(self) -> None:
        """Ends this process's share; the gate is held."""
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
        """`up`, `loading` its file, or `down`."""
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
                # The server holds its own copy from now on; ours must not outlive it.
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
                # Ctrl-C at the terminal is for pagemill: the queue must outlive the workers that drain.
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
        """Asks until it ends: it may be starting or loading its file right now."""
        client = self._client(_PING_TIMEOUT_S)
        give_up_at = time.monotonic() + STOP_TIMEOUT_S
        try:
            while self._server_lives():
                with contextlib.suppress(redis.RedisError):
                    client.shutdown()
                if time.monotonic() >= give_up_at:
                    # It keeps its data safe by staying; the next last one tries again.
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
