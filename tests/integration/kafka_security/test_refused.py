"""What services say and do where Kafka does not let them in, or not do what they must."""

import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.errors import LogUnavailable
from contract.log.progress import LogPartition
from deploy.kafka.acls import Principals, Resources, allow, permissions
from deploy.kafka.admin import KafkaAdmin
from deploy.local.services.python_service import PythonService
from kafka_log.questions import TopicQuestions
from kafka_log.settings import KafkaSettings
from stores.influx.settings import InfluxSettings
from stream_workers.flush.rejected_topic import RejectedTopic
from stream_workers.partition.decoded import RejectedLine
from support.pipeline.eventually import eventually
from support.product.environment import environment_of
from support.product.worker_process import WorkerProcess as ServiceProcess
from support.services.secured import Secured, fields_of

INVALID = "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512"


class Started:
    """Services of one test, each as a process."""

    def __init__(self, secured: Secured, influx: InfluxSettings, folder: Path) -> None:
        self._secured = secured
        self._common = environment_of("", secured.topic, secured.rejected_topic, influx)
        self._folder = folder
        self._services: list[PythonService] = []

    def start(self, module: str, own: Mapping[str, str]) -> ServiceProcess:
        name = f"{module}-{len(self._services)}"
        service = ServiceProcess(name, self._folder, {**self._common, **own}, module)
        service.start()
        self._services.append(service)
        return service

    def close(self) -> None:
        for service in self._services:
            service.end_if_alive()


@pytest.fixture
def started(secured: Secured, influx: InfluxSettings, tmp_path: Path) -> Iterator[Started]:
    started = Started(secured, influx, tmp_path)
    yield started
    started.close()


def with_wrong_password(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    file = folder / "wrong"
    file.write_text("wrong-password")
    return {**environment, "COLLECTOR_KAFKA_SASL_PASSWORD_FILE": str(file)}


async def says(service: ServiceProcess, text: str) -> dict[str, Any]:
    """Its readiness once that says so."""
    found: dict[str, Any] = {}

    def is_said() -> bool:
        found.update(service.readiness() or {})
        return text in str(found)

    await eventually(is_said)
    return found


async def post_one(ingest: ServiceProcess) -> httpx.Response:
    action = {"timestamp": "1764000000000", "user": "a", "event": "click"}
    async with httpx.AsyncClient(timeout=60) as http:
        return await http.post(f"http://127.0.0.1:{ingest.port}/analytics", params=action)


async def test_the_ingest_api_starts_and_says_that_its_password_is_refused(
    started: Started, secured: Secured, tmp_path: Path
) -> None:
    ingest = started.start("ingest_api", with_wrong_password(secured.environment("ingest"), tmp_path))
    found = await says(ingest, INVALID)
    assert not found["ready"]
    assert found["reason"].startswith("Kafka refuses the connection: ")
    post = await post_one(ingest)
    assert post.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Kafka refuses the connection" in post.json()["detail"]
    assert "wrong-password" not in ingest.logged()
    # It tries three times a second, and says so once in 30 s; what is known of the topic is told when that changes.
    assert ingest.logged().count(INVALID) <= 4


async def test_the_aggregator_answers_and_says_that_its_password_is_refused(
    started: Started, secured: Secured, tmp_path: Path
) -> None:
    aggregator = started.start("aggregator", with_wrong_password(secured.environment("aggregator"), tmp_path))
    found = await says(aggregator, INVALID)
    assert found["ready"]
    assert found["kafka"].startswith("Kafka refuses the connection: ")
    assert "wrong-password" not in aggregator.logged()


async def test_a_worker_whose_password_is_refused_says_so_and_ends_with_1(
    started: Started, secured: Secured, tmp_path: Path
) -> None:
    worker = started.start("stream_workers", with_wrong_password(secured.environment("worker"), tmp_path))
    assert worker.wait_for_end() == 1
    (told,) = [line for line in worker.logged().splitlines() if "cannot start" in line]
    assert "cannot start: Kafka refuses the connection: " in told
    assert INVALID in told
    assert "wrong-password" not in worker.logged()


async def test_a_worker_that_may_not_read_the_topic_says_so_and_ends_with_1(started: Started, secured: Secured) -> None:
    worker = started.start("stream_workers", secured.environment("aggregator"))
    assert worker.wait_for_end() == 1
    assert "cannot start: Kafka does not allow this user what it asks of topic" in worker.logged()


async def test_an_ingest_api_that_may_not_write_says_so_and_goes_on_once_it_may(
    started: Started, secured: Secured
) -> None:
    ingest = started.start("ingest_api", secured.environment("aggregator"))
    found = await says(ingest, "does not allow this user to write")
    assert not found["ready"]
    refused = await post_one(ingest)
    assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "does not allow this user to write" in refused.json()["detail"]

    admin = KafkaAdmin(KafkaSettings(**fields_of(secured.kafka.admin_environment())))
    writer = Principals(f"User:{secured.users['aggregator']}", "", "", "")
    await allow(admin, list(permissions(writer, Resources(secured.topic, secured.rejected_topic, secured.group))))

    await eventually(ingest.is_ready)
    assert (await post_one(ingest)).status_code == HTTPStatus.NO_CONTENT
    assert len(secured.read(secured.topic)) == 1


async def test_rejected_lines_that_may_not_be_written_are_told_by_reason_and_tried_again(secured: Secured) -> None:
    topic = RejectedTopic(secured.settings("aggregator"), secured.topic)
    line = RejectedLine(LogPartition("log", 0), 0, 0, b"nonsense", "not_json")
    told = []
    for _ in range(3):
        with pytest.raises(LogUnavailable) as refused:
            await topic.publish([line])
        told.append(str(refused.value))
    assert any("Cluster authorization failed" in text for text in told), told
    assert all(text.startswith(f"topic '{secured.topic}'") for text in told), told


async def test_a_broker_whose_certificate_nobody_vouches_for_is_not_talked_to(secured: Secured) -> None:
    # The system's authorities do not know it.
    kafka = secured.settings("aggregator", kafka_ca_file=None)
    with pytest.raises(LogUnavailable, match=r"Kafka refuses the connection: .*certificate verify failed"):
        TopicQuestions(kafka, secured.topic, client_id="test", within=5).describe()


async def test_a_password_that_is_changed_while_services_run_is_told_and_nobody_ends_and_all_goes_on_with_the_right_one(
    started: Started, secured: Secured
) -> None:
    ingest = started.start("ingest_api", secured.environment("ingest"))
    worker = started.start("stream_workers", secured.environment("worker"))
    await eventually(lambda: ingest.is_ready() and worker.is_ready())
    # Connections that are there stay: brokers ask anew only when they are made again.
    for program in ("ingest", "worker"):
        secured.kafka.set_password(secured.users[program], secrets.token_hex(8))
    secured.kafka.stop()
    secured.kafka.start()
    secured.kafka.wait_until_ready()
    await says(ingest, INVALID)
    assert not (await says(worker, INVALID))["ready"]
    assert worker.logged().count("SaslAuthenticationFailed") <= 4
    for program, service in {"ingest": ingest, "worker": worker}.items():
        secured.kafka.set_password(secured.users[program], secured.settings(program).sasl_password())
        await eventually(service.is_ready)
