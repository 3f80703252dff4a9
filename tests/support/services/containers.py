import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from support.services.addresses import Addresses

_KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"
_KAFKA_SETTINGS = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    # One node holds the only replica of everything.
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
}
_INFLUXDB_IMAGE = "influxdb:1.8.10"
_INFLUXDB_SETTINGS = {
    "INFLUXDB_HTTP_FLUX_ENABLED": "true",
    "INFLUXDB_DATA_INDEX_VERSION": "tsi1",
    "INFLUXDB_REPORTING_DISABLED": "true",
}
_INFLUXDB_PORT = 8086
_SECONDS = 120


def docker_answers() -> bool:
    """Whether a Docker engine can be reached."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


@contextmanager
def services_as_containers() -> Iterator[Addresses]:
    """Kafka and InfluxDB by testcontainers."""
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 # slow to import
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 # likewise
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415 # likewise

    kafka = KafkaContainer(_KAFKA_IMAGE).with_kraft().with_envs(**_KAFKA_SETTINGS)
    influxdb = (
        DockerContainer(_INFLUXDB_IMAGE)
        .with_envs(**_INFLUXDB_SETTINGS)
        .with_exposed_ports(_INFLUXDB_PORT)
        .waiting_for(HttpWaitStrategy(_INFLUXDB_PORT, "/ping").for_status_code(204).with_startup_timeout(_SECONDS))
    )
    with influxdb, kafka:
        url = f"http://{influxdb.get_container_host_ip()}:{influxdb.get_exposed_port(_INFLUXDB_PORT)}"
        yield Addresses(kafka.get_bootstrap_server(), url)
