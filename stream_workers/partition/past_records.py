"""Reading the log again, off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from threading import Event
from typing import Final

from contract.log.progress import LogPartition
from contract.log.record import Record
from kafka_log.reader import LogReader
from kafka_log.settings import KafkaSettings

_BATCH: Final = 1_000


class KafkaPastRecords:
    """Implements PastRecords with a plain consumer of its own for each reading."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        """Opens nothing yet."""
        self._kafka = kafka
        self._topic = topic

    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        if first >= end:
            return
        log = LogReader(self._kafka, self._topic)
        try:
            await asyncio.to_thread(log.verify, source.log)
            records = log.records(source.partition, end - 1, first)
            while batch := await asyncio.to_thread(_next, records):
                for record in batch:
                    yield record
        finally:
            await asyncio.to_thread(log.close)

    async def is_empty(self, source: LogPartition, first: int, end: int) -> bool:
        stopped = Event()
        try:
            return await asyncio.to_thread(self._is_empty, source.partition, first, end, stopped)
        finally:
            # A thread that goes on after a cancellation would keep the process from its end.
            stopped.set()

    def _is_empty(self, partition: int, first: int, end: int, stopped: Event) -> bool:
        log = LogReader(self._kafka, self._topic)
        try:
            return log.is_empty(partition, first, end, stopped.is_set)
        finally:
            log.close()


def _next(records: Iterator[Record]) -> list[Record]:
    return list(islice(records, _BATCH))
