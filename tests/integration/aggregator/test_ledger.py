"""The ledger over real Kafka, real InfluxDB, a real worker and a real aggregator."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from contract.log.progress import LogPartition
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import remove_records

ACTIONS = 3_000


FRESH = {"Cache-Control": "no-cache"}


def ledger_of(aggregator: str, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    answer = httpx.get(f"{aggregator}/v1/ledger", headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_ledger_balances_line_by_line_against_an_oracle(pipeline: Pipeline, aggregator: str) -> None:
    traffic = Traffic()
    for partition in range(PARTITIONS):
        pipeline.append(b"removed before anyone reads it", partition)
        pipeline.append(b"removed before anyone reads it", partition)
    pipeline.acknowledged()
    remove_records(pipeline.admin, pipeline.topic, {1: 1, 2: 2})
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    pipeline.append(b'{"broken":1}\nnot json\n', 2)
    pipeline.append(None, 3)
    pipeline.acknowledged()
    worker = pipeline.started()
    await pipeline.counted()
    worker.stop()
    pipeline.append(b"not read\nyet\n", 0)
    pipeline.append(b"not read yet", 0)
    pipeline.acknowledged()

    ledger = ledger_of(aggregator)

    duplicates = sum(numbers.duplicates for numbers in pipeline.expected().values())
    assert duplicates > 0
    assert ledger["totals"] == {
        "lines": ACTIONS + 2 * PARTITIONS + 3,
        "counted": ACTIONS - duplicates,
        "duplicates": duplicates,
        "rejected": {"unknown_field": 1, "not_json": 2 * PARTITIONS - 3 + 1, "record_null": 1},
        "lost": 3,
        "unread": 2,
    }
    assert (ledger["log"], ledger["balanced"]) == (pipeline.log, True)
    by_number = {one["partition"]: one for one in ledger["partitions"]}
    assert sorted(by_number) == list(range(PARTITIONS))
    assert [by_number[partition]["lost"] for partition in range(PARTITIONS)] == [0, 1, 2, 0]
    assert [by_number[partition]["unread"] for partition in range(PARTITIONS)] == [2, 0, 0, 0]
    lines = Counter({0: 2, 1: 2, 2: 4, 3: 3})
    lines.update({partition: len(mine) for partition, mine in pipeline.lines.items()})
    assert {partition: one["lines"] for partition, one in by_number.items()} == lines


async def test_a_wrong_number_in_one_stored_window_unbalances_its_partition(
    pipeline: Pipeline, aggregator: str
) -> None:
    pipeline.send(Traffic().actions(ACTIONS), lines=20)
    pipeline.started()
    await pipeline.counted()
    assert ledger_of(aggregator)["balanced"] is True
    points = await pipeline.store.read_windows(pipeline.this_hour, LogPartition(pipeline.log, 1))
    right = max(points, key=lambda point: point.value.through_offset)
    wrong_value = msgspec.structs.replace(right.value, counts={**right.value.counts, "click": 1})
    await pipeline.store.write_windows([right._replace(value=wrong_value)], [])

    # No worker would write another value of the same offset: that is seen by who asks for a reading of everything.
    wrong = ledger_of(aggregator, FRESH)
    await pipeline.store.write_windows([right], [])
    repaired = ledger_of(aggregator, FRESH)

    assert {one["partition"]: one["balanced"] for one in wrong["partitions"]} == {0: True, 1: False, 2: True, 3: True}
    assert (wrong["balanced"], repaired["balanced"]) == (False, True)


async def test_the_ledger_is_never_out_of_balance_while_workers_count(pipeline: Pipeline, aggregator: str) -> None:
    traffic = Traffic()
    pipeline.started(worker_flush_interval="PT0.01S")
    found = []
    for _ in range(20):
        pipeline.send(traffic.actions(300), lines=5)
        found.append(ledger_of(aggregator))
    await pipeline.counted()

    assert {one["balanced"] for ledger in found for one in ledger["partitions"]} <= {True, None}
    assert (ledger_of(aggregator)["balanced"], ledger_of(aggregator)["totals"]["lines"]) == (True, 6_000)
