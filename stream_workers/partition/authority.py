"""Which records of a partition that say they are rebuilds take effect: those that the store vouches for."""

from collections.abc import Mapping

from contract.log.progress import LogPartition
from contract.log.rebuild import Rebuild, refusal_of
from contract.log.record import Record
from contract.store import StoreReader


class Authority:
    """The manifests of one partition, as far as its records need them, and the last rebuild that took effect."""

    def __init__(self, source: LogPartition, rebuilt: int) -> None:
        """`rebuilt` is from the progress that the partition starts from."""
        self.rebuilt = rebuilt
        """Offset of the last record that took effect."""
        self._source = source
        self._received = -1
        self._manifests: Mapping[str, Rebuild] = {}
        self._valid_through = -1

    def received(self, offset: int) -> None:
        """The log has a record at `offset`: its manifest, if there is one, is in the store."""
        self._received = max(self._received, offset)

    async def refusal_of(self, rebuild: Rebuild, record: Record, reader: StoreReader) -> str | None:
        """The code of REFUSALS for a rebuild's record; None where it takes effect. Raises what the reader raises.

        The store is asked once for all records that had come by then, however many say they are rebuilds. A manifest
        that was not there may be there for a later record.
        """
        self.received(record.offset)
        if record.offset > self._valid_through:
            through = self._received
            self._manifests = await reader.read_manifests(self._source)
            self._valid_through = through
        return refusal_of(rebuild, record.manifest, self._manifests, self.rebuilt)
