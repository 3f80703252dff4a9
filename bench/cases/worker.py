"""The worker: from the log to acknowledged results in InfluxDB."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from bench.case import Case, Contender, Figures, require
from bench.load.span_sink import SpanSink
from bench.load.stored import StoredNumbers
from bench.load.traffic import Made, count, fill, make, records
from bench.running.quix import quix_program
from bench.running.services import PARTITIONS, Services
from bench.running.workers import Work, workers_on
from bench.storing.servers import Server
from deploy.local.services.log_file import tail_of
from deploy.local.services.process import Command, Process
from stores.influx.settings import InfluxSettings
from stores.raw.settings import RawStorage

_USERS: Final = 200_000
_FOREIGN: Final = 100_000
_LONGEST: Final = 180.0


def many_lines(services: Services) -> Case:
    """1,000,000 actions in records of 500 lines."""
    work = many_filled(services)
    return Case(
        "worker, 500 lines a record",
        [
            Contender("ours", partial(run_ours, services, work)),
            Contender("hand-written loop", partial(_run_hand_written, services, work)),
        ],
    )


def packed(services: Services) -> Case:
    """As many_lines, with raw actions packed, beside raw actions as points."""
    return _raw(services, RawStorage.PACKED)


def without_raw(services: Services) -> Case:
    """As many_lines, without raw actions, beside raw actions as points."""
    return _raw(services, RawStorage.OFF)


def _raw(services: Services, raw: RawStorage) -> Case:
    work = many_filled(services)
    return Case(
        f"worker, raw actions {raw}",
        [
            Contender(f"raw actions {one}", partial(run_ours, services, work, raw=one))
            for one in (raw, RawStorage.POINTS)
        ],
    )


def many_filled(services: Services) -> Work:
    """The log of many_lines."""
    return filled(services, make(1, 1_000_000, _USERS), 500)


def one_line(services: Services) -> Case:
    """100,000 actions in records of one line, as foreign producers send them."""
    work = filled(services, make(2, _FOREIGN, _USERS), 1)
    return Case(
        "worker, 1 line a record",
        [
            Contender("ours", partial(run_ours, services, work)),
            Contender("Faust, reading only", partial(_run_faust_reader, services, work)),
            Contender("Quix Streams", partial(_run_quix, services, work, quix_program())),
        ],
    )


def with_traces(services: Services) -> Case:
    """As one_line, with one record in a hundred whose producer's trace is recorded, and the same with traces off."""
    work = filled(services, make(2, _FOREIGN, _USERS), 1, traced=100)
    return Case(
        "worker, traces on",
        [
            Contender("ours", partial(_run_traced, services, work)),
            Contender("traces off", partial(run_ours, services, work)),
        ],
    )


def _run_traced(services: Services, work: Work) -> Figures:
    with SpanSink() as sink:
        figures = run_ours(services, work, settings=sink.environment)
    sink.require_some()
    return figures


def filled(
    services: Services, made: Sequence[Made], lines: int, partitions: int = PARTITIONS, *, traced: int | None = None
) -> Work:
    """A new topic that holds these actions in records of `lines` lines; `traced` as in `fill`."""
    topic = services.topic(partitions)
    fill(services.kafka.bootstrap, topic, records(made, lines, partitions), partitions, traced=traced)
    return Work(topic, len(made), count(made), partitions)


def run_ours(
    services: Services,
    work: Work,
    raw: RawStorage = RawStorage.POINTS,
    settings: Mapping[str, str] = MappingProxyType({}),
    server: Server | None = None,
) -> Figures:
    """One worker counts all of it, from its assignment to the last acknowledged progress."""
    with workers_on(services, work.topic, 1, raw, settings, server) as workers:
        workers.wait_until_assigned(work.partitions)
        began, cpu_before, store_cpu_before = time.monotonic(), workers.cpu(), workers.store_cpu()
        workers.wait_until_counted(work.number)
        seconds, cpu = time.monotonic() - began, workers.cpu() - cpu_before
        store_cpu = workers.store_cpu() - store_cpu_before
        workers.require_counted(work)
        return {
            "actions/s": work.number / seconds,
            "CPU us/action": cpu / work.number * 1e6,
            "store's CPU us/action": store_cpu / work.number * 1e6,
            "memory MB": workers.memory_mb(),
        }


def _run_hand_written(services: Services, work: Work) -> Figures:
    with services.buckets() as influx:
        program = [sys.executable, "-P", "-m", "bench.baselines.handwritten_loop"]
        figures = _baseline(services, program, work, influx)
        _require_hand_written(influx, work)
        return figures


def _run_quix(services: Services, work: Work, program: list[str]) -> Figures:
    with services.buckets() as influx:
        figures = _baseline(services, [*program, str(work.number)], work, influx)
        _require_hand_written(influx, work)
        return figures


def _run_faust_reader(services: Services, work: Work) -> Figures:
    program = [sys.executable, "-P", "-m", "bench.baselines.faust_reader", str(work.number)]
    figures = _baseline(services, program, work, None)
    require(figures.pop("actions"), work.number, "actions read")
    return figures


def _require_hand_written(influx: InfluxSettings, work: Work) -> None:
    stored = StoredNumbers(influx)
    require(asyncio.run(stored.hand_written()), dict(work.hours), "hours")
    require(asyncio.run(stored.raw_points()), work.number, "raw actions")


def _baseline(services: Services, program: list[str], work: Work, influx: InfluxSettings | None) -> dict[str, float]:
    """Runs a baseline to its end; its last line is JSON: its figures."""
    log = services.log("baseline")
    process = Process.start(Command(program, log, services.environment(work.topic, influx)))
    if not process.wait(_LONGEST) or process.reap() != 0:
        raise RuntimeError(f"{program} did not end well\n{tail_of(log)}")
    figures: dict[str, float] = json.loads(log.read_text().splitlines()[-1])
    return figures
