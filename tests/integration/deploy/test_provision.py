import os
import secrets
import subprocess
import sys
from datetime import timedelta

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined] # it is exported untyped

from contract.errors import LogUnavailable, LogUnfit
from deploy.kafka.admin import KafkaAdmin
from deploy.local.services.ports import free_port
from deploy.provision import ProvisionSettings, create_topics, provision
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore


@pytest.fixture
def settings(kafka_bootstrap: str, influx: InfluxSettings) -> ProvisionSettings:
    name = secrets.token_hex(6)
    return ProvisionSettings(
        influx_url=influx.influx_url,
        kafka_bootstrap=kafka_bootstrap,
        topic=f"actions-{name}",
        rejected_topic=f"rejected-{name}",
        raw_bucket=f"actions_{name}/autogen",
        hourly_bucket=f"hourly_{name}/autogen",
        provision_partitions=3,
        provision_log_retention=timedelta(days=1),
    )


async def test_it_creates_topics_that_workers_accept_and_buckets_that_can_be_read(settings: ProvisionSettings) -> None:
    await provision(settings)

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    resource = ConfigResource("topic", settings.topic)
    config = admin.describe_configs([resource])[resource].result(10)
    partitions = {name: len(admin.list_topics(name, timeout=10).topics[name].partitions) for name in _topics(settings)}
    store = InfluxStore(settings, lambda: 0)
    progress = await store.read_progress()
    await store.close()
    assert config["message.timestamp.type"].value == "LogAppendTime"
    assert config["retention.ms"].value == "86400000"
    assert list(partitions.values()) == [3, 1]
    assert progress == {}


async def test_a_second_time_it_leaves_what_is_there_even_if_it_is_more_than_asked_for(
    settings: ProvisionSettings,
) -> None:
    await provision(settings)

    less = {"provision_partitions": 2, "provision_log_retention": timedelta(hours=1)}
    await provision(settings.model_copy(update=less), repair=True)

    assert partitions_of(settings, settings.topic) == 3
    assert config_of(settings, settings.topic)["retention.ms"] == "86400000"


def create_as_a_broker_does_by_itself(settings: ProvisionSettings, **config: str) -> None:
    """One partition, CreateTime."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    topic = NewTopic(settings.topic, 1, 1, config={name.replace("_", "."): value for name, value in config.items()})
    admin.create_topics([topic])[settings.topic].result(30)


async def test_what_a_topic_that_is_there_lacks_is_told_and_nothing_is_changed(settings: ProvisionSettings) -> None:
    create_as_a_broker_does_by_itself(
        settings, retention_ms="1000", retention_bytes="5000", cleanup_policy="compact", min_insync_replicas="1"
    )
    before = config_of(settings, settings.topic)

    # More replicas than there are brokers: they are not added, and the topic of rejected lines is not looked at.
    wanted = settings.model_copy(update={"provision_replication": 3, "provision_min_insync_replicas": 2})
    with pytest.raises(LogUnavailable, match="replication factor"):
        await create_topics(wanted.model_copy(update={"topic": f"new-{wanted.topic}"}), KafkaAdmin(wanted))
    with pytest.raises(LogUnfit) as refused:
        await provision(wanted)

    assert str(refused.value).splitlines() == [
        f"topic '{settings.topic}' is there, but not as it should be:",
        "  partitions: 1, not 3",
        "  replicas of a partition: 1, not 3; kafka-reassign-partitions adds some",
        "  message.timestamp.type=CreateTime, not LogAppendTime",
        "  cleanup.policy=compact, not delete",
        "  retention.ms=1000, not 86400000",
        "  retention.bytes=5000, not -1",
        "  min.insync.replicas=1, not 2",
        "change the COLLECTOR_PROVISION_ settings, or the topic: `python -m deploy.provision --repair` does",
    ]
    assert config_of(settings, settings.topic) == before
    assert partitions_of(settings, settings.topic) == 1


async def test_what_a_topic_lacks_is_mended_where_that_is_asked_for(settings: ProvisionSettings) -> None:
    create_as_a_broker_does_by_itself(settings, retention_ms="1000", retention_bytes="5000", cleanup_policy="compact")

    await provision(settings, repair=True)

    assert partitions_of(settings, settings.topic) == 3
    config = config_of(settings, settings.topic)
    assert {name: config[name] for name in ("message.timestamp.type", "cleanup.policy", "retention.ms")} == {
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "delete",
        "retention.ms": "86400000",
    }
    assert config["retention.bytes"] == "-1"
    await provision(settings)


async def test_what_cannot_be_mended_is_told(settings: ProvisionSettings) -> None:
    await provision(settings)

    with pytest.raises(LogUnfit) as refused:
        await provision(settings.model_copy(update={"provision_replication": 2}), repair=True)

    assert str(refused.value).splitlines() == [
        f"topic '{settings.topic}' is there, but not as it should be:",
        "  replicas of a partition: 1, not 2; kafka-reassign-partitions adds some",
    ]


async def test_acls_are_refused_by_brokers_that_would_not_look_at_them(settings: ProvisionSettings) -> None:
    with pytest.raises(LogUnfit, match="the brokers have no authorizer"):
        await provision(settings, acls=True)


def test_the_program_says_what_is_wrong_and_ends_with_1(settings: ProvisionSettings) -> None:
    create_as_a_broker_does_by_itself(settings)
    environment = {
        "COLLECTOR_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "COLLECTOR_TOPIC": settings.topic,
        "COLLECTOR_REJECTED_TOPIC": settings.rejected_topic,
    }

    ended = subprocess.run(
        [sys.executable, "-m", "deploy.provision"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert "  message.timestamp.type=CreateTime, not LogAppendTime" in ended.stderr.splitlines()


async def test_it_gives_up_where_there_is_no_kafka(settings: ProvisionSettings) -> None:
    nowhere = {"kafka_bootstrap": f"127.0.0.1:{free_port()}", "provision_timeout": timedelta(milliseconds=100)}

    with pytest.raises(TimeoutError):
        await provision(settings.model_copy(update=nowhere))


def partitions_of(settings: ProvisionSettings, topic: str) -> int:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    return len(admin.list_topics(topic, timeout=10).topics[topic].partitions)


def config_of(settings: ProvisionSettings, topic: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    resource = ConfigResource("topic", topic)
    return {name: one.value for name, one in admin.describe_configs([resource])[resource].result(10).items()}


def _topics(settings: ProvisionSettings) -> list[str]:
    return [settings.topic, settings.rejected_topic]
