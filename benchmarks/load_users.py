"""The users of a load, for locust, which `load` starts.

Nothing of pagemill's is imported: locust changes the standard library for its whole process.
"""

from __future__ import annotations

import os
import random

from locust import FastHttpUser, constant_throughput, task

from benchmarks.load_paths import MACHINE, OPERATOR, WATCHER, Role

_NAMES = {"run": os.environ["LOAD_RUN"], "worker": os.environ["LOAD_WORKER"]}
_HEADERS = {"Authorization": f"Bearer {os.environ['LOAD_TOKEN']}"}
_DEADLINE_S = 10.0


class _User(FastHttpUser):
    abstract = True
    connection_timeout = _DEADLINE_S
    network_timeout = _DEADLINE_S
    role: Role

    @task
    def ask(self) -> None:
        """One request; anything but 200 is an error."""
        (path,) = random.choices(list(self.role.paths), list(self.role.paths.values()))
        self.client.get(path.format(**_NAMES), name=path, headers=_HEADERS)


class Watcher(_User):
    role = WATCHER
    weight = WATCHER.share
    wait_time = constant_throughput(WATCHER.per_s)


class Operator(_User):
    role = OPERATOR
    weight = OPERATOR.share
    wait_time = constant_throughput(OPERATOR.per_s)


class Machine(_User):
    role = MACHINE
    weight = MACHINE.share
    wait_time = constant_throughput(MACHINE.per_s)
