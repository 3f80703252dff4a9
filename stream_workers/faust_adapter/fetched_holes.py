"""Offsets that the fetcher itself passed over: markers of transactions, and records of aborted ones.

A consumer of many small transactions meets a hole at the end of each. To fetch it once more takes as long as Kafka lets
a fetch wait at the log's end: 300 transactions of one record each took more than seven minutes.
"""

from collections.abc import Iterable


class FetchedHoles:
    """Follows what is fetched of each partition, from where it was sought.

    While nobody seeks, a fetcher goes on from record to record, and whatever lies between two has none for its readers.
    `position` is the object in which it keeps its place: another one tells of another assignment.
    """

    def __init__(self) -> None:
        self._next: dict[int, tuple[object, int]] = {}
        self._holes: dict[int, list[range]] = {}

    def sought(self, partition: int) -> None:
        """The partition is about to be read from elsewhere; what is known of holes stays true, but is not needed."""
        self._next.pop(partition, None)
        self._holes.pop(partition, None)

    def fetched(self, partition: int, position: object, offsets: Iterable[int]) -> None:
        """The next records, in the order in which they were handed out."""
        known, following = self._next.get(partition, (None, -1))
        holes = []
        for offset in offsets:
            if offset != following and known is position:
                holes.append(range(following, offset))
            known, following = position, offset + 1
        self._holes[partition] = holes
        self._next[partition] = (known, following)

    def handed_out_before(self, partition: int) -> int | None:
        """The offset before which all was handed out since the partition was sought; None: nothing was."""
        found = self._next.get(partition)
        return None if found is None or found[1] < 0 else found[1]

    def is_hole(self, partition: int, first: int, end: int) -> bool:
        """Whether there is surely no record from `first` up to the one at `end`, which was fetched last."""
        return any(hole.start <= first < end == hole.stop for hole in self._holes.get(partition, ()))
