"""Reading the part of the log that is looked at."""

from collections.abc import Callable, Mapping

from collector.doctor.examination import Examination
from collector.doctor.findings import Diagnosis
from collector.hour_range import HourRange
from kafka_log.reader import Extent, LogReader
from kafka_log.settings import KafkaSettings

Planned = Callable[[int], None]
"""Called with the number of offsets that will be read."""
Advanced = Callable[[int], None]
"""Called with the number of offsets read since the last call."""


class ProducersCheck:
    """Looks at the last records of each partition, or at those that Kafka took within some hours.

    The log is read with blocking calls, so that Ctrl-C ends them. It joins no group, commits nothing, writes nothing.
    """

    def __init__(self, settings: KafkaSettings, part: int | HourRange) -> None:
        """`part`: so many records of each partition, or hours. Connects to nothing yet."""
        self._topic = settings.topic
        self._log = LogReader(settings, settings.topic)
        self._part = part

    def run(self, planned: Planned, advanced: Advanced) -> Diagnosis:
        """Reads, and says what was found. Raises what LogReader raises."""
        try:
            log, partitions = self._log.identify()
            extents = {partition: self._extent(partition) for partition in partitions}
            planned(sum(extent.end - extent.first for extent in extents.values()))
            examination = Examination(len(partitions))
            self._read(extents, examination, advanced)
            self._log.verify(log)
        finally:
            self._log.close()
        return examination.diagnosis(self._topic)

    def _read(self, extents: Mapping[int, Extent], examination: Examination, advanced: Advanced) -> None:
        for partition, extent in extents.items():
            at = extent.first - 1
            for record in self._log.records(partition, extent.end - 1, extent.first):
                examination.add(record)
                advanced(record.offset - at)
                at = record.offset

    def _extent(self, partition: int) -> Extent:
        whole = self._log.extent(partition)
        if isinstance(self._part, int):
            return Extent(max(whole.first, whole.end - self._part), whole.end)
        first, end = (self._log.offset_at(partition, timestamp) for timestamp in self._part)
        return Extent(min(max(whole.first, first), whole.end), min(end, whole.end))
