"""Telling the workers of a rebuild: the record that they find in the log."""

from datetime import timedelta

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contract.errors import LogUnavailable
from contract.log.rebuild import REBUILD_HEADER, Manifest
from kafka_log.client import CLIENT_LOG
from kafka_log.producer import producer_config, wait_for_deliveries
from kafka_log.settings import KafkaSettings


def append_rebuild(kafka: KafkaSettings, topic: str, partition: int, manifest: Manifest, timeout: float) -> int:
    """Appends the record of a rebuild whose manifest the store has acknowledged; returns its offset.

    Raises LogUnavailable after `timeout` seconds; the record may be there all the same, which does no harm.
    """
    ends: list[tuple[KafkaError | None, Message]] = []
    config = producer_config(kafka, "collector-rebuild", timedelta(seconds=timeout))
    producer = Producer(config, logger=CLIENT_LOG)
    where = f"{topic}/{partition}"
    try:
        producer.produce(
            topic,
            manifest.rebuild.encode(),
            partition=partition,
            headers=[(REBUILD_HEADER, manifest.id.encode())],
            on_delivery=lambda error, message: ends.append((error, message)),
        )
        wait_for_deliveries(producer, timeout)
    except KafkaException as error:
        raise LogUnavailable(f"{where}: {error.args[0].str()}") from error
    if not ends:
        raise LogUnavailable(f"{where}: Kafka did not acknowledge within {timeout:.0f} s")
    failure, message = ends[0]
    offset = message.offset()
    if failure is not None or offset is None:
        raise LogUnavailable(f"{where}: Kafka did not acknowledge: {failure.str() if failure else 'no offset'}")
    return offset
