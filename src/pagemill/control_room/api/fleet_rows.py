"""Builds the rows of the dashboard's tables: one for each worker, other process and platform. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pagemill.control_room.api.dashboard_models import PaceText, PlatformRow, ProcessText, Work, WorkerText
from pagemill.control_room.figures.item_times import item_times
from pagemill.control_room.figures.memory_figures import memory_percent
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FleetPicture, Rates
from pagemill.pacing.pace_state import PaceState


def worker_row(worker: WorkerSnapshot, rates: Rates, now: datetime) -> WorkerText:
    """The row of one worker."""
    sample = worker.sample
    batches = [Work(**{name: getattr(work, name) for name in Work.model_fields}) for work in worker.batches]
    return WorkerText(
        name=worker.name,
        host=worker.host,
        pid=worker.pid,
        platforms=list(worker.platforms),
        alive=worker.is_alive,
        silent_seconds=worker.silent_s,
        uptime=_uptime_s(worker.started_at, now),
        draining=worker.draining,
        places=worker.size,
        places_taken=worker.lanes,
        lanes=worker.lanes,
        lanes_allowed=worker.size,
        pressure=worker.pressure,
        pressure_reason=worker.pressure_reason,
        batches=batches,
        at_work=batches[0] if batches else None,
        memory_mb=worker.pss_mb,
        peak_memory_mb=worker.peak_pss_mb,
        memory_limit_mb=worker.limits.memory_mb if worker.limits else 0.0,
        memory_percent=round(memory_percent(worker), 1),
        memory_by_role_mb=dict(sample.pss_mb) if sample else {},
        shm_percent=sample.shm_percent if sample else None,
        cpu_percent=worker.cpu_percent,
        event_loop_delay=round(1000 * sample.loop_lag_s, 1) if sample else 0.0,
        visits=worker.leases,
        rotations=dict(worker.rotations),
        rotation_reasons=dict(worker.reasons),
        requests_per_second=rates.items_per_s,
        response_time=rates.item_ms,
        error_rate=rates.error_rate,
        block_rate=rates.block_rate,
    )


def process_row(process: ProcessSnapshot, now: datetime) -> ProcessText:
    """The row of a scheduler, control API or supervisor."""
    return ProcessText(
        name=process.name,
        role=process.role,
        host=process.host,
        pid=process.pid,
        alive=process.is_alive,
        silent_seconds=process.silent_s,
        uptime=_uptime_s(process.started_at, now),
        rss_mb=process.rss_mb,
        pss_mb=process.pss_mb,
        cpu_percent=process.cpu_percent,
        descriptors=process.descriptors,
        leads=process.leads,
    )


def _uptime_s(started_at: datetime | None, now: datetime) -> int:
    return max(0, round((now - started_at).total_seconds())) if started_at else 0


def platform_rows(picture: FleetPicture, workers: Sequence[WorkerSnapshot]) -> list[PlatformRow]:
    """A row for every configured platform, in the queues' order; the counts are those of `workers`."""
    paces = {pace.platform: pace for pace in picture.paces}
    rows = []
    for queue in picture.queues:
        name = queue.platform
        tallies = [worker.tally[name] for worker in workers if name in worker.tally]
        verdicts: dict[str, int] = {}
        for tally in tallies:
            for verdict, count in tally.verdicts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
        rows.append(
            PlatformRow(
                name=name,
                waiting=queue.waiting,
                at_work=queue.at_work,
                failed=queue.failed,
                verdicts=dict(sorted(verdicts.items())),
                products=sum(verdicts.values()),
                visited=sum(tally.visited for tally in tallies),
                spared=sum(tally.spared for tally in tallies),
                attempts=sum(tally.attempts for tally in tallies),
                response_time=item_times(tallies).mean_ms,
                wait_seconds=round(sum(tally.wait_s for tally in tallies), 1),
                pace=_pace(paces.get(name)),
                workers=sum(name in worker.platforms for worker in workers),
            )
        )
    return rows


def _pace(pace: PaceState | None) -> PaceText:
    if pace is None:
        return PaceText(paused_seconds=0.0, why="", open_seconds=0.0, trying=False, slowdown=1.0)
    return PaceText(
        paused_seconds=round(pace.paused_s, 1),
        why=pace.why,
        open_seconds=round(pace.open_s, 1),
        trying=pace.trying,
        slowdown=round(pace.slow, 2),
    )
