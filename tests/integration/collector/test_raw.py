"""`collector raw` beside what was sent, in each store and each way to store raw actions, while workers are killed."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from csv import DictReader
from io import StringIO
from pathlib import Path

import pytest

from contract.hour import HOUR_MS, format_hour, hour_of
from contract.log.action import Action, parse_line
from stores.raw.settings import RawStorage
from support.pipeline.collector_program import collector
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.stores.environment import AnySettings, environment_of_store

WAYS = [
    pytest.param(("influx1", "points"), id="influx-points"),
    pytest.param(("influx1", "packed"), id="influx-packed"),
    pytest.param(("cassandra", "packed"), id="cassandra-packed"),
]


@pytest.fixture(params=WAYS)
def settings(request: pytest.FixtureRequest) -> AnySettings:
    """Each store with each way to store raw actions in turn."""
    store, storage = request.param
    found: AnySettings = request.getfixturevalue(store)
    return found.model_copy(update={"raw_storage": RawStorage(storage)})


@pytest.fixture
async def pipeline(
    settings: AnySettings, kafka_bootstrap: str, create_topic: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Pipeline]:
    one = Pipeline(kafka_bootstrap, settings, create_topic(PARTITIONS), create_topic(1), tmp_path)
    yield one
    await one.close()


class Raw:
    """`collector raw` for one pipeline's store."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._environment = dict(environment_of_store(pipeline.settings))

    def __call__(self, hour: int, *arguments: str) -> tuple[int, str, str]:
        ended = collector(self._environment, "raw", "--hour", format_hour(hour), *arguments)
        return ended.returncode, ended.stdout, ended.stderr

    def actions(self, hour: int, *arguments: str) -> tuple[int, Counter[Action]]:
        code, out, _ = self(hour, *arguments)
        actions = [parse_line(line.encode()) for line in out.splitlines()]
        return code, Counter(action for action in actions if isinstance(action, Action))


def sent(pipeline: Pipeline, hour: int) -> Counter[Action]:
    """What was sent for the hour, each line as often as it was."""
    lines = [action for lines in pipeline.lines.values() for action in lines]
    return Counter(action for action in lines if hour_of(action.timestamp) == hour)


async def test_each_line_of_the_log_is_read_once_though_workers_were_killed_and_wrote_again(
    pipeline: Pipeline,
) -> None:
    traffic, raw = Traffic(), Raw(pipeline)
    for _ in range(3):
        worker = pipeline.replacement()
        before = await pipeline.through()
        pipeline.send(traffic.actions(3_000), lines=7)
        pipeline.append(b'{"broken":1}\nnot json\n', 2)
        await pipeline.moved(before)
        worker.kill()
    pipeline.replacement()
    await pipeline.counted()
    await pipeline.is_exact()

    this = pipeline.this_hour
    for hour in (this, this - HOUR_MS):
        assert raw.actions(hour) == (0, sent(pipeline, hour))
    code, out, told = raw(0)
    old = sent(pipeline, 0).total()
    assert (code, out) == (2, "")
    assert told.startswith(f"collector: {old:,} actions were counted in this hour, 0 of them are stored as raw ")


async def test_what_was_asked_for_is_printed_in_the_format_that_was_asked_for(pipeline: Pipeline) -> None:
    raw, hour = Raw(pipeline), pipeline.this_hour
    odd = 'quo"te \\ back, Zoë 🦊'
    actions = [Action(hour, odd, "click", "i,d"), Action(hour + 1, odd, "odd_event"), Action(hour + 2, "u", "click")]
    pipeline.send([*actions, Action(hour - HOUR_MS, odd, "click")])
    pipeline.started()
    await pipeline.counted()

    assert raw.actions(hour, "--user", odd, "--event", "click") == (0, Counter(actions[:1]))
    code, out, _ = raw(hour, "--user", odd, "--format", "csv")
    rows = list(DictReader(StringIO(out)))
    assert (code, sorted(map(json.dumps, rows))) == (
        0,
        sorted(
            json.dumps({"timestamp": str(one.timestamp), "user": one.user, "event": one.event, "id": one.id or ""})
            for one in actions[:2]
        ),
    )
