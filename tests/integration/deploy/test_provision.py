import secrets
from datetime import timedelta

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined] # it is exported untyped

from deploy.local.services.ports import free_port
from deploy.provision import ProvisionSettings, provision
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


async def test_a_second_time_it_leaves_what_is_there(settings: ProvisionSettings) -> None:
    await provision(settings)

    await provision(settings.model_copy(update={"provision_partitions": 5}))

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    assert len(admin.list_topics(settings.topic, timeout=10).topics[settings.topic].partitions) == 3


async def test_it_gives_up_where_there_is_no_kafka(settings: ProvisionSettings) -> None:
    nowhere = {"kafka_bootstrap": f"127.0.0.1:{free_port()}", "provision_timeout": timedelta(milliseconds=100)}

    with pytest.raises(TimeoutError):
        await provision(settings.model_copy(update=nowhere))


def _topics(settings: ProvisionSettings) -> list[str]:
    return [settings.topic, settings.rejected_topic]
