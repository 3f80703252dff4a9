"""The ingest API while Kafka is unavailable: a broker of our own is paused, killed and started again."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.log.action import Action, encode_action
from contract.log.record import decode_record
from deploy.local.artifacts.installed import installed
from deploy.local.errors import CannotStart
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import free_port
from support.product.ingest_process import IngestProcess, ingest_process
from support.services.kafka_log import read_log

BATCH = b"\n".join(encode_action(Action(1_700_000_000_000, f"user-{number}", "click")) for number in range(100))
NDJSON = {"Content-Type": "application/x-ndjson"}
PATIENT = {"ingest_delivery_timeout": "PT25S", "ingest_drain_timeout": "PT40S"}
"""For tests in which Kafka continues before an action times out, however slow the machine is."""


class Broker(Kafka):
    """A broker that can be paused."""

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        self._started().send(signal.SIGSTOP)

    def resume(self) -> None:
        """It continues."""
        self._started().send(signal.SIGCONT)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    try:
        artifacts = installed()
    except CannotStart as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Kafka: {missing}")
    folder: Path = tmp_path_factory.mktemp("broker")
    with Broker(artifacts, folder, free_port(), free_port()) as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"actions-{abs(hash(request.node.name))}"
    broker.create_topic(name, 4)
    yield name
    broker.resume()


def users_in(broker: Broker, topic: str) -> list[str]:
    lines = [line for record in read_log(broker.bootstrap, topic) for line in decode_record(record.value)]
    return sorted(line.user for line in lines if isinstance(line, Action))


async def test_while_kafka_hangs_the_answer_is_503_with_an_unknown_outcome_and_afterwards_all_is_well(
    broker: Broker, topic: str
) -> None:
    async with ingest_process(broker.bootstrap, topic, ingest_delivery_timeout="PT5S") as api:
        await api.ready()
        await api.acknowledges("before")
        unknown = await api.metric("actions_outcome_unknown_total")
        broker.pause()
        answers = await asyncio.gather(
            *[api.post("during") for _ in range(20)], api.client.post("/v1/actions", content=BATCH, headers=NDJSON)
        )
        assert {(answer.status_code, answer.json()["outcome"]) for answer in answers} == {(503, "unknown")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        assert "Kafka did not answer" in (await api.not_ready()).json()["reason"]
        assert (await api.client.get("/healthz")).status_code == 200
        assert await api.metric("actions_outcome_unknown_total") == unknown + 120
        assert await api.metric("in_flight_bytes") == 0
        broker.resume()
        await api.ready()
        await api.acknowledges("after")
    assert {"before", "after"} <= set(users_in(broker, topic))


async def test_a_short_outage_costs_time_and_no_action(broker: Broker, topic: str) -> None:
    async with ingest_process(broker.bootstrap, topic, **PATIENT) as api:
        await api.ready()
        broker.pause()
        posting = [asyncio.create_task(api.post(f"user-{number}")) for number in range(20)]
        await api.in_flight(20)
        broker.resume()
        assert [(await posted).status_code for posted in posting] == [204] * 20
    assert users_in(broker, topic) == sorted(f"user-{number}" for number in range(20))


async def test_what_is_in_flight_is_bounded_and_beyond_it_the_answer_is_503_at_once(broker: Broker, topic: str) -> None:
    limit = str(2 * (len(BATCH) + 1))
    limits = {f"ingest_max_{name}_bytes": limit for name in ("body", "decompressed", "in_flight")}
    async with ingest_process(broker.bootstrap, topic, **limits, **PATIENT) as api:
        await api.ready()
        broker.pause()
        first = asyncio.create_task(api.client.post("/v1/actions", content=BATCH, headers=NDJSON))
        await api.in_flight(100)
        refused = await api.client.post("/v1/actions", content=BATCH + b"\n" + BATCH, headers=NDJSON)
        assert (refused.status_code, refused.json()["outcome"]) == (503, "not_published")
        assert not first.done()
        broker.resume()
        assert (await first).json() == {"accepted": 100, "rejected": []}


async def test_after_kafka_was_killed_and_started_again_actions_come_in_without_a_restart_of_the_api(
    broker: Broker, topic: str
) -> None:
    async with ingest_process(broker.bootstrap, topic, ingest_delivery_timeout="PT5S") as api:
        await api.ready()
        await api.acknowledges("before")
        await asyncio.to_thread(broker.kill)
        assert (await api.post("during")).status_code == 503
        await api.not_ready()
        await asyncio.to_thread(broker.__enter__)
        await api.ready()
        await api.acknowledges("after")
    assert {"before", "after"} <= set(users_in(broker, topic))


async def test_an_api_that_starts_without_kafka_says_so_and_is_ready_once_it_comes(broker: Broker, topic: str) -> None:
    await asyncio.to_thread(broker.kill)
    async with ingest_process(broker.bootstrap, topic) as api:
        assert (await api.client.get("/healthz")).status_code == 200
        assert "Kafka did not answer" in (await api.not_ready()).json()["reason"]
        answer = await api.post("early")
        assert (answer.status_code, answer.json()["outcome"]) == (503, "not_published")
        await asyncio.to_thread(broker.__enter__)
        await api.ready()
        assert (await api.post("later")).status_code == 204
    assert users_in(broker, topic) == ["later"]


async def begin_batch(api: IngestProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the first thousand bytes of a batch have come."""
    reader, writer = await asyncio.open_connection(api.client.base_url.host, api.client.base_url.port)
    writer.write(b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(BATCH) + BATCH[:1000])
    while await api.metric("body_bytes") != 1000:
        pass
    return reader, writer


async def drained(api: IngestProcess, broker: Broker, requests: list[asyncio.Task[object]]) -> None:
    """Stops the API while requests wait for Kafka, and resumes Kafka once nobody can connect any more."""
    api.process.send_signal(signal.SIGTERM)
    await api.refuses_connections()
    assert not any(request.done() for request in requests)
    broker.resume()


async def test_at_sigterm_what_is_in_flight_is_answered_once_kafka_acknowledged_and_the_exit_code_is_0(
    broker: Broker, topic: str
) -> None:
    async with ingest_process(broker.bootstrap, topic, **PATIENT) as api:
        await api.ready()
        broker.pause()
        single = asyncio.create_task(api.post("single"))
        batch = asyncio.create_task(api.client.post("/v1/actions", content=BATCH, headers=NDJSON))
        await api.in_flight(101)
        await drained(api, broker, [single, batch])
        assert (await single).status_code == 204
        assert (await batch).json() == {"accepted": 100, "rejected": []}
        assert await api.process.wait() == 0
    assert len(users_in(broker, topic)) == 101


async def test_at_sigterm_a_body_that_is_still_coming_is_read_to_its_end_and_answered(
    broker: Broker, topic: str
) -> None:
    async with ingest_process(broker.bootstrap, topic) as api:
        await api.ready()
        reader, writer = await begin_batch(api)
        api.process.send_signal(signal.SIGTERM)
        await api.refuses_connections()
        writer.write(BATCH[1000:])
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'{"accepted":100,"rejected":[]}')
        assert await api.process.wait() == 0
    assert len(users_in(broker, topic)) == 100


async def test_at_sigterm_a_body_that_never_ends_is_answered_408_in_bounded_time(broker: Broker, topic: str) -> None:
    async with ingest_process(broker.bootstrap, topic, ingest_body_timeout="PT5S") as api:
        await api.ready()
        reader, writer = await begin_batch(api)
        api.process.send_signal(signal.SIGTERM)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()
        assert await api.process.wait() == 0


async def test_what_is_not_http_is_refused_with_a_problem(broker: Broker, topic: str) -> None:
    async with ingest_process(broker.bootstrap, topic) as api:
        reader, writer = await asyncio.open_connection(api.client.base_url.host, api.client.base_url.port)
        writer.write(b"nonsense\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/problem+json" in head
        assert json.loads(body)["code"] == "http_malformed"


async def test_at_sigterm_without_kafka_the_answer_is_503_in_bounded_time_and_the_exit_code_is_0(
    broker: Broker, topic: str
) -> None:
    async with ingest_process(broker.bootstrap, topic, ingest_delivery_timeout="PT5S") as api:
        await api.ready()
        broker.pause()
        single = asyncio.create_task(api.post("single"))
        await api.in_flight(1)
        api.process.send_signal(signal.SIGTERM)
        assert (await single).json()["outcome"] == "unknown"
        assert await asyncio.wait_for(api.process.wait(), 60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_api_ends_with_0(broker: Broker, topic: str, number: signal.Signals) -> None:
    async with ingest_process(broker.bootstrap, topic) as api:
        await api.ready()
        api.process.send_signal(number)
        assert await api.process.wait() == 0
