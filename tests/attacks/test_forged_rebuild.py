"""Somebody who may write the log says that hours were counted again: history stays as it is.

On code without the authority of the store one such record turned 106,012 clicks into 8, with `final: true`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition

from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour
from contract.log.rebuild import REBUILD_HEADER, Rebuild
from contract.log.record import Record
from contract.store import SegmentPoint
from contract.windows.hashes import pack_hashes
from kafka_log.reader import LogReader
from kafka_log.settings import KafkaSettings
from support.attacks.auditing import auditor
from support.pipeline.collector_program import collector
from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic

ACTIONS = 3_000
EVERY_HOUR = (0, END_OF_TIME_MS - END_OF_TIME_MS % HOUR_MS)


class Attack:
    """Somebody who may read and write the topic, and not the store."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.expected: Counter[bytes] = Counter()
        """How often each refusal must be told."""

    def say(self, rebuild: Rebuild, partition: int, code: str, manifest: str = "") -> None:
        """Appends a record that says it is this rebuild; it must be refused with a code."""
        self._pipeline.append(rebuild.encode(), partition, header=manifest.encode(), name=REBUILD_HEADER)
        self._pipeline.acknowledged()
        self.expected[code.encode()] += 1

    def real_ones(self) -> Iterator[Record]:
        """The rebuilds that the log has: anyone who may read it can copy them."""
        log = LogReader(KafkaSettings(kafka_bootstrap=self._pipeline.bootstrap), self._pipeline.topic)
        try:
            for partition, end in self._pipeline.ends.items():
                yield from (record for record in log.records(partition, end) if record.is_rebuild)
        finally:
            log.close()

    async def is_refused(self) -> None:
        """Fails unless each of these records is told: in the topic of rejected lines, and by the worker's metric."""
        worker, told = self._pipeline.workers[-1], self.expected.total()
        await eventually(lambda: worker.metric("refused_rebuilds_total") == told)
        assert self._rejected(told) == self.expected
        assert all(one.rejected == {} for one in (await self._pipeline.progress()).values())

    def _rejected(self, number: int) -> Counter[bytes]:
        settings = {"bootstrap.servers": self._pipeline.bootstrap, "group.id": "none", "enable.auto.commit": False}
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(self._pipeline.rejected_topic, 0, 0)])
        codes: list[bytes] = []
        while len(codes) < number:
            batch = consumer.consume(number - len(codes), timeout=60)
            assert batch, f"{len(codes)} of {number} refused records are there"
            codes += [value for message in batch for name, value in message.headers() or [] if name == "code"]  # type: ignore[misc] # headers come back as pairs
        consumer.close()
        return Counter(codes)


async def counted(pipeline: Pipeline, traffic: Traffic) -> None:
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    if not pipeline.workers:
        pipeline.started()
    await pipeline.counted()


def rebuild(environment: dict[str, str], hours: list[int]) -> None:
    ended = collector(environment, "rebuild", "--from", format_hour(hours[0]), "--to", format_hour(hours[-1]))
    assert ended.returncode == 0, ended.stderr


def learn_ends(pipeline: Pipeline) -> None:
    """A rebuild appends, too."""
    log = LogReader(KafkaSettings(kafka_bootstrap=pipeline.bootstrap), pipeline.topic)
    pipeline.ends = {partition: log.extent(partition).end - 1 for partition in range(PARTITIONS)}
    log.close()


async def damage(pipeline: Pipeline, hours: list[int]) -> None:
    """Whatever is stored of these hours is wrong, also what rebuilds stored."""
    for point in [point for hour in hours for point in await pipeline.store.read_windows(hour)]:
        segments = await pipeline.store.read_segments(point.hour, point.source, point.value)
        wrong = [SegmentPoint(point.source, point.hour, one._replace(users=pack_hashes([7]))) for one in segments]
        value = msgspec.structs.replace(point.value, counts={"click": 1}, unique_users=77)
        await pipeline.store.write_windows([point._replace(value=value)], wrong)


async def test_a_made_up_rebuild_changes_no_number(
    pipeline: Pipeline, environment: dict[str, str], tmp_path: Path
) -> None:
    traffic, attack = Traffic(), Attack(pipeline)
    await counted(pipeline, traffic)
    for partition in range(PARTITIONS):
        # As if nothing but the last record had ever been there.
        made_up = Rebuild(1_764_000_000_000, *EVERY_HOUR, through_offset=pipeline.ends[partition] - 1)
        attack.say(made_up, partition, "rebuild_unknown")
        attack.say(made_up, partition, "rebuild_unknown", manifest="b1946ac92492d2347c6235b4d2611184")
    await counted(pipeline, traffic)

    await attack.is_refused()
    await pipeline.is_exact()
    with auditor(environment, tmp_path) as audit:
        assert audit()[0] == 0
    pipeline.workers[0].kill()
    pipeline.replacement()
    await counted(pipeline, traffic)
    await pipeline.is_exact()


async def test_copies_of_real_rebuilds_change_no_number(
    pipeline: Pipeline, environment: dict[str, str], tmp_path: Path
) -> None:
    """What the first rebuild stored is wrong by the time of the copies: the second one has put that right."""
    traffic, attack = Traffic(), Attack(pipeline)
    await counted(pipeline, traffic)
    hours = sorted(pipeline.expected())
    for _ in range(2):
        await damage(pipeline, hours)
        rebuild(environment, hours)
    learn_ends(pipeline)
    await pipeline.is_exact()
    real_ones = list(attack.real_ones())
    assert len(real_ones) == 2 * PARTITIONS

    for real in real_ones:
        copy = Rebuild.decode(real.value, real.offset)
        assert copy is not None
        attack.say(copy, real.partition, "rebuild_superseded", real.manifest)
        others = {
            "first": copy.first + HOUR_MS,
            "end": copy.end - HOUR_MS,
            "through_offset": copy.through_offset - 1,
            "generation": copy.generation + 1,
        }
        for name, value in others.items():
            changed = msgspec.structs.replace(copy, **{name: value})
            attack.say(changed, real.partition, "rebuild_altered", real.manifest)
        elsewhere = msgspec.structs.replace(copy, through_offset=0)
        attack.say(elsewhere, (real.partition + 1) % PARTITIONS, "rebuild_unknown", real.manifest)
    await counted(pipeline, traffic)

    await attack.is_refused()
    await pipeline.is_exact()
    with auditor(environment, tmp_path) as audit:
        assert audit()[0] == 0
