"""`pagemill status`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table

from pagemill.app.parts import DATA_FOLDER, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.cli.wording import output_console, table
from pagemill.config.remedies import Remedy
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.stranded_runs import Stranded, read_stranded
from pagemill.fleet.timetable import Timetable
from pagemill.fleet.view import FleetPicture, FleetView
from pagemill.pacing.pace_state import PaceState
from pagemill.results.store import ResultStore

_RUNS = 5
_STRANDED = 20
_REFRESH_S = 1.0


def status(watch: Annotated[bool, typer.Option("--watch", help="Keep showing until interrupted.")] = False) -> None:
    """Show queues, pauses, workers and other processes with their memory, the schedule, what is stranded, and the last
    runs."""
    config = load("WARNING")
    console = output_console()
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        view = FleetView(
            redis,
            sorted(config.platforms),
            lambda: config.schedule,
            stranded=lambda: tuple(read_stranded(redis, store, lambda: config.platforms)),
        )

        def shown() -> Group:
            picture = view.picture()
            processes = [process for process in picture.processes if process.is_alive]
            optional = [
                *([_proxies(picture.alive)] if any(worker.proxies for worker in picture.alive) else []),
                *([_processes(processes)] if processes else []),
                *([_schedule(picture.timetable)] if picture.timetable.rows else []),
                *([_stranded(picture.stranded)] if picture.stranded else []),
            ]
            return Group(_queues(picture), _workers(picture.alive), *optional, _runs(store))

        if not watch:
            console.print(shown())
            return
        with Live(shown(), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(_REFRESH_S)
                live.update(shown(), refresh=True)


def _queues(picture: FleetPicture) -> Table:
    shown = table("Queues", "platform", "waiting", "at work", "failed", "spared visits", "pace")
    for state, pace in zip(picture.queues, picture.paces, strict=True):
        counts = (str(count) for count in (state.waiting, state.at_work, state.failed))
        shown.add_row(state.platform, *counts, _spared(*picture.revisits[state.platform]), _pace(pace))
    return shown


def _spared(hits: int, misses: int) -> str:
    asked = hits + misses
    return f"{hits} of {asked} ({100 * hits / asked:.0f} %)" if asked else ""


def _pace(pace: PaceState) -> str:
    said = []
    if pace.paused_s:
        said.append(f"paused for {pace.paused_s:.0f} s ({pace.why})")
    if pace.open_s:
        said.append(f"left alone for {pace.open_s:.0f} s after blocks")
    if pace.trying:
        said.append("trying one visit")
    if pace.slow > 1:
        said.append(f"waits {pace.slow:.1f} times as long")
    return ", ".join(said)


def _workers(workers: Sequence[WorkerSnapshot]) -> Table:
    shown = table("Workers", "worker", "platforms", "places", "memory MB", "peak MB", "pressure", "visits", "rotations")
    for worker in workers:
        shown.add_row(
            worker.name,
            ", ".join(worker.platforms),
            f"{worker.lanes}/{worker.size}",
            f"{worker.pss_mb:.0f}",
            f"{worker.peak_pss_mb:.0f}",
            worker.pressure,
            str(worker.leases),
            " ".join(f"{level} {count}" for level, count in worker.rotations.items()),
        )
    if not shown.row_count:
        shown.caption = f"none: {Remedy.NO_WORKER}"
    return shown


def _processes(processes: Sequence[ProcessSnapshot]) -> Table:
    shown = table("Other processes", "process", "role", "memory MB", "RSS MB", "CPU", "files", "since")
    for process in processes:
        shown.add_row(
            process.name,
            f"{process.role}, active" if process.leads else process.role,
            f"{process.pss_mb:.0f}",
            f"{process.rss_mb:.0f}",
            f"{process.cpu_percent:.0f} %",
            str(process.descriptors),
            _moment(process.started_at),
        )
    return shown


def _proxies(workers: Sequence[WorkerSnapshot]) -> Table:
    """By name, because a proxy's address is a secret."""
    shown = table("Proxies", "worker", "proxy", "contexts", "failures", "state")
    for worker in workers:
        for proxy in worker.proxies:
            state = f"rests for {proxy.resting_s:.0f} s: it {proxy.reason}" if proxy.resting_s else "serves"
            shown.add_row(worker.name, proxy.name, str(proxy.taken), str(proxy.failures), state)
    return shown


def _schedule(timetable: Timetable) -> Table:
    shown = table("Schedule", "entry", "platform", "last time", "outcome", "run", "next time")
    for row in timetable.rows:
        last = row.last
        shown.add_row(
            row.entry,
            row.platform,
            "" if last is None else _moment(last.due),
            "" if last is None else ", ".join(filter(None, (last.outcome.value, last.detail))),
            "" if last is None else last.run,
            "switched off" if row.next_due is None else _moment(row.next_due),
        )
    if not timetable.leader:
        shown.caption = "nobody fires: start `pagemill scheduler`"
    return shown


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def _stranded(found: Sequence[Stranded]) -> Table:
    shown = table("Runs that cannot end by themselves", "run", "platform", "batches", "why", "remedy")
    for each in found[:_STRANDED]:
        shown.add_row(each.run, each.platform, str(each.batches), each.why, each.remedy)
    if len(found) > _STRANDED:
        shown.caption = f"and {len(found) - _STRANDED} more"
    return shown


def _runs(store: ResultStore) -> Table:
    shown = table("Last runs", "run", "platform", "done", "products", "skipped rows")
    for run in store.runs(_RUNS):
        products = "?" if run.products is None else str(run.products)
        shown.add_row(run.run, run.platform, str(run.done), products, str(run.skipped or 0))
    return shown
