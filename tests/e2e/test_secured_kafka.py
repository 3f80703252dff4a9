"""Real traffic through a Kafka that asks everybody who they are, and lets nobody do more than they must."""

import json
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from stores.influx.settings import InfluxSettings
from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import send
from support.pipeline.collector_program import Auditor, collector
from support.services.secured import Secured

DATA = Path(__file__).parent / "data"
MODULES = {"ingest_api": "ingest", "stream_workers": "worker", "aggregator": "aggregator"}


@pytest.mark.parametrize("by_certificate", [False, True], ids=["SASL_SSL", "mTLS"])
async def test_every_hour_is_right_where_each_service_may_do_only_what_it_must(
    secured: Secured, influx: InfluxSettings, tmp_path: Path, http: httpx.AsyncClient, *, by_certificate: bool
) -> None:
    own = {module: secured.environment(program, by_certificate=by_certificate) for module, program in MODULES.items()}
    actions = [json.loads(line) for line in (DATA / "web-2015-05.ndjson").read_text().splitlines()]
    pipeline = Pipeline(tmp_path, "", secured.topic, secured.rejected_topic, influx, settings_by_module=own)
    try:
        for _ in range(2):
            pipeline.start_worker()
        pipeline.wait_until_ready()

        # A line that is refused shows that workers may write the topic of such lines.
        foreign_producer_writes_nonsense(secured)
        await send(http, pipeline.ingest_url, actions)
        await until_caught_up(http, pipeline.aggregator_url)

        assert await differences(http, pipeline.aggregator_url, count(actions)) == {}
        assert [record.value for record in secured.read(secured.rejected_topic)] == [b"nonsense"]
        environment = {**pipeline.environment, **secured.environment("operator", by_certificate=by_certificate)}
        code, verdict = Auditor(environment, pipeline.aggregator_url)()
        assert (code, verdict["not_judged"], verdict["outcome"]) == (0, [], "equal")
        found = json.loads(collector(environment, "doctor", "producers", "--json").stdout)
        assert found["records"] == len(secured.read(secured.topic))
        rebuilt = collector(environment, "rebuild", "--from", "2015-05-17T10", "--to", "2015-05-17T11")
        assert rebuilt.returncode == 0, rebuilt.stderr
        await until_caught_up(http, pipeline.aggregator_url)
        assert await differences(http, pipeline.aggregator_url, count(actions)) == {}
    finally:
        pipeline.close()


def foreign_producer_writes_nonsense(secured: Secured) -> None:
    producer = Producer(secured.config("ingest"))
    producer.produce(secured.topic, b"nonsense", partition=0)
    assert producer.flush(60) == 0
