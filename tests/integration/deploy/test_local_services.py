import httpx
from confluent_kafka.admin import AdminClient, ConfigResource

from stores.influx.settings import InfluxSettings


def test_a_topic_for_actions_takes_its_timestamps_from_the_broker(kafka_bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    resource = ConfigResource("topic", topic)

    config = admin.describe_configs([resource])[resource].result(60)

    assert config["message.timestamp.type"].value == "LogAppendTime"


def test_a_topic_that_nobody_created_does_not_appear_by_itself(kafka_bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})

    admin.list_topics("nobody-created-me", timeout=60)

    assert "nobody-created-me" not in admin.list_topics(timeout=60).topics


def test_influxdb_answers_flux(influx: InfluxSettings) -> None:
    url = str(influx.influx_url)
    database = influx.raw_bucket.split("/")[0]
    httpx.post(f"{url}write", params={"db": database}, content="m f=1i 1", timeout=60).raise_for_status()

    answer = httpx.post(
        f"{url}api/v2/query",
        content=f'from(bucket: "{influx.raw_bucket}") |> range(start: 0)',
        headers={"Content-Type": "application/vnd.flux", "Accept": "application/csv"},
        timeout=60,
    )

    assert ",m" in answer.text.replace("\r\n", "\n")
