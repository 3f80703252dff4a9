"""CPU an action, step by step, in one process without Kafka and InfluxDB: what a core must spend whatever else happens.

The reference is json.loads of the same lines: it tells how fast this machine is at the moment.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import TypeVar

from bench.case import Case, Contender, Figures, require
from bench.load.traffic import Made, count, make, records
from bench.running.services import PARTITIONS, Services
from contract.log.action import Action, encode_action
from contract.log.event_names import BUSINESS_EVENTS
from contract.log.partitioning import partition_of
from contract.log.progress import LogPartition, Progress
from contract.log.record import Record, decode_record
from contract.store import SLOTS
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.batch import check_batch
from ingest_api.settings import IngestSettings
from kafka_log.settings import KafkaSettings
from stores.influx.line_protocol import action_bodies, result_bodies
from stores.memory import MemoryStore
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.past_records import KafkaPastRecords
from stream_workers.partition.state import PartitionState

T = TypeVar("T")

_NUMBER = 50_000
_LINES = 500
_EVENTS = frozenset(BUSINESS_EVENTS)


def worker_steps(_: Services) -> Case:
    """What a worker does with 50,000 actions, one flush."""
    made = make(5, _NUMBER, 50_000)
    values = list(records(made, _LINES, PARTITIONS))
    return Case(
        "CPU of the worker's steps",
        [
            Contender("ours", partial(_worker, made, values)),
            Contender("json.loads of each line", partial(_yardstick, [value for _, value in values], "decode us")),
        ],
    )


def ingest_steps(_: Services) -> Case:
    """What the API does with 50,000 actions that come in batches of 1,000."""
    made = make(6, _NUMBER, 50_000)
    bodies = [b"\n".join([action.line() for action in made[at : at + 1_000]]) for at in range(0, _NUMBER, 1_000)]
    return Case(
        "CPU of the API's steps",
        [
            Contender("ours", partial(_ingest, bodies)),
            Contender("json.loads of each line", partial(_yardstick, bodies, "parse and judge us")),
        ],
    )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = work()
    return (time.process_time() - began) / _NUMBER * 1e6, result


def _yardstick(values: Sequence[bytes], figure: str) -> Figures:
    cost, _ = _timed(lambda: [json.loads(line) for value in values for line in value.splitlines()])
    return {figure: cost}


def draw_slot() -> int:
    """A slot, as the worker draws it."""
    return random.randrange(SLOTS)  # noqa: S311 - slots need no secrecy


def _worker(made: Sequence[Made], values: Sequence[tuple[int, bytes]]) -> Figures:
    offsets: Counter[int] = Counter()
    log = []
    for partition, value in values:
        log.append(Record(partition, offsets[partition], 1, value, PARTITIONS))
        offsets[partition] += 1
    states = [
        PartitionState(LogPartition("bench", partition), Progress(), draw_slot, KafkaPastRecords(KafkaSettings(), ""))
        for partition in range(PARTITIONS)
    ]
    store = MemoryStore()

    async def fold() -> None:
        for record in log:
            await states[record.partition].fold(record, store)

    decoding, _ = _timed(lambda: [decode_record(record.value) for record in log])
    decoding_and_folding, _ = _timed(lambda: asyncio.run(fold()))
    snapshot, flushes = _timed(lambda: [flush for state in states if (flush := state.snapshot()) is not None])
    formatting, _ = _timed(lambda: _format(flushes))
    counts = sum(sum(value.counts.values()) for flush in flushes for _, value in flush.windows)
    users = sum(value.unique_users for flush in flushes for _, value in flush.windows)
    require((counts, users), (len(made), sum(hour.unique_users for hour in count(made).values())), "counts, users")
    return {
        "decode us": decoding,
        "fold us": decoding_and_folding - decoding,
        "snapshot us": snapshot,
        "format us": formatting,
    }


def _format(flushes: Sequence[PartitionFlush]) -> int:
    """The bodies' size."""
    bodies = chain(
        action_bodies((flush.raw for flush in flushes), 0, _EVENTS),
        result_bodies(
            (point for flush in flushes for point in flush.window_points()),
            (segment for flush in flushes for segment in flush.segments),
            _EVENTS,
        ),
    )
    return sum(map(len, bodies))


def _ingest(bodies: Sequence[bytes]) -> Figures:
    settings = IngestSettings()
    policy = AcceptancePolicy(
        settings.ingest_events,
        settings.ingest_oldest,
        settings.ingest_future_tolerance,
        lambda: time.time_ns() // 10**6,
    )

    async def judge() -> list[Action]:
        checked = [await check_batch(body, settings.ingest_max_lines, policy) for body in bodies]
        return [action for each in checked for action in each.accepted]

    judging, actions = _timed(lambda: asyncio.run(judge()))
    require(len(actions), _NUMBER, "accepted")
    placing, _ = _timed(lambda: [partition_of(action.user, PARTITIONS) for action in actions])
    encoding, _ = _timed(lambda: [encode_action(action) for action in actions])
    return {"parse and judge us": judging, "partition us": placing, "encode us": encoding}
