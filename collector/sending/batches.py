"""Lines to send, grouped into requests."""

from collections.abc import Iterable, Iterator

from collector.sending.errors import FileUnreadable
from collector.sending.reading.line import Line

_MAX_LINES = 1_000
_MAX_BYTES = 512 * 1024


def in_batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Batches that the API accepts as one request each. A FileUnreadable is raised after the last of them."""
    batch: list[Line] = []
    size = 0
    damage = None
    try:
        for line in lines:
            if batch and (len(batch) == _MAX_LINES or size + len(line.text) > _MAX_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(line)
            size += len(line.text) + 1
    except FileUnreadable as error:
        damage = error
    if batch:
        yield batch
    if damage:
        raise damage
