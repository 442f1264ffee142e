"""Notices, while somebody waits for a run, that the run cannot end by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from redis import Redis

from pagemill.app.parts import brisk_redis
from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from pagemill.config.remedies import Remedy
from pagemill.config.settings import Config
from pagemill.errors import ConfigError, RedisUnavailable, RunIncomplete, RunStranded
from pagemill.fleet.stranded_runs import Cause, Stranded, StrandedWatch, read_stranded
from pagemill.results.runs import RunProgress, broke_off
from pagemill.results.store import ResultStore

_LOOK_S = 5.0
_PATIENCE_S = 60.0


@contextmanager
def noticing_stranded(
    config: Config, store: ResultStore, run: str, tell: Callable[[str], object]
) -> Iterator[Callable[[], None]]:
    """What to call again and again while one waits for a run.

    It tells once, and at once, when the run is stranded, and why; a worker may come, and what was lost comes back, so
    the wait goes on. Redis may be away meanwhile.

    Args:
        config: the waiting process'; that the platform is not configured any more is seen in the files.
        store: open.
        run: its id.
        tell: is given a sentence with the remedy.

    Raises:
        RunStranded: out of what is called, when nobody has known the run's platform for a minute.
    """

    def known() -> Mapping[str, Platform]:
        try:
            return load_config(config.environment.config_folder).platforms
        except ConfigError:
            return config.platforms

    with ExitStack() as parts:
        opened: list[Redis] = []

        def read() -> list[Stranded]:
            if not opened:
                opened.append(parts.enter_context(brisk_redis(config)))
            return [each for each in read_stranded(opened[0], store, known) if each.run == run]

        watch = StrandedWatch(read, _LOOK_S, 0)

        def notice() -> None:
            try:
                for each in watch.news():
                    tell(each.sentence)
            except RedisUnavailable:
                return  # it is told to those who need it, and the results are in the database
            if watch.longest_s(Cause.FORGOTTEN) >= _PATIENCE_S:
                raise RunStranded(f"run {run} cannot end: {Cause.FORGOTTEN.value}. Bring its file back, or cancel it")

        yield notice


def whole_run(ended: RunProgress) -> RunProgress:
    """How a run ended that was waited for.

    Raises:
        RunIncomplete: its enqueueing broke off.
    """
    if ended.broken_off and not ended.cancelled:
        raise RunIncomplete(f"run {ended.run} is incomplete: {broke_off(ended.products or 0)}; {Remedy.BROKEN_OFF}")
    return ended
