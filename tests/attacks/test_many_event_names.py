"""A foreign producer makes up event names without end: each would be a series of its own among the raw actions."""

from contract.log.action import Action
from stores.influx.connection import InfluxConnection
from stores.influx.schema import Bucket
from support.pipeline.pipeline import PARTITIONS, Pipeline, now

NAMES = 40_000
USERS = 50


async def found(pipeline: Pipeline, bucket: str, query: str) -> list[list[object]]:
    """The rows that one of the pipeline's buckets answers."""
    connection = InfluxConnection(pipeline.influx)
    (answer,) = await connection.query(Bucket.named(bucket), query)
    await connection.close()
    return [row for series in answer for row in series.values]


async def test_40000_made_up_event_names_make_no_series_and_are_all_kept(pipeline: Pipeline) -> None:
    names = [f"made_up_{number}" for number in range(NAMES)]
    timestamp = now()
    pipeline.send([Action(timestamp, f"user-{at % USERS}", name) for at, name in enumerate(["click", *names])], 1_000)
    pipeline.started()
    await pipeline.counted()

    raw, hourly = pipeline.influx.raw_bucket, pipeline.influx.hourly_bucket
    series = await found(pipeline, raw, "SHOW SERIES")
    assert len(series) == PARTITIONS + 1
    rows = await found(pipeline, raw, 'SELECT "name" FROM "actions" WHERE "event" = \'_other\'')
    assert sorted(str(name) for _, name in rows) == sorted(names)
    fields = {str(name) for name, _ in await found(pipeline, hourly, 'SHOW FIELD KEYS FROM "hourly"')}
    assert fields == {"state", "through_offset", "unique_users", "count_click", "count__other"}
    counts = [number.counts for number in (await pipeline.numbers()).values()]
    assert sum(sum(one.values()) for one in counts) == NAMES + 1
    assert sum(one.get("click", 0) for one in counts) == 1
