"""Reading the log again, off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Final

from contract.progress import LogPartition
from contract.record import Record
from kafka_log.reader import LogReader

_BATCH: Final = 1_000


class KafkaPastRecords:
    """Implements PastRecords with a plain consumer of its own for each reading."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Opens nothing yet."""
        self._bootstrap = bootstrap
        self._topic = topic

    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        if first >= end:
            return
        log = LogReader(self._bootstrap, self._topic)
        try:
            await asyncio.to_thread(log.verify, source.log)
            records = log.records(source.partition, end - 1, first)
            while batch := await asyncio.to_thread(_next, records):
                for record in batch:
                    yield record
        finally:
            await asyncio.to_thread(log.close)


def _next(records: Iterator[Record]) -> list[Record]:
    return list(islice(records, _BATCH))
