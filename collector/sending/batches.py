"""Lines to send, grouped into requests."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contract.action import Action, parse_line

_MAX_LINES = 1_000
_MAX_BYTES = 512 * 1024


class Line(NamedTuple):
    """One line of NDJSON, without its newline."""

    text: bytes
    repeatable: bool
    """Sent twice, it counts once: it has an id, or is not an action at all."""


def lines_of(file: Iterable[bytes]) -> Iterator[Line]:
    """A file's lines; empty ones are left out."""
    for text in file:
        stripped = text.strip()
        if stripped:
            yield Line(stripped, _is_repeatable(stripped))


def in_batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Batches that the API accepts as one request each."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == _MAX_LINES or size + len(line.text) > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.text) + 1
    if batch:
        yield batch


def _is_repeatable(text: bytes) -> bool:
    parsed = parse_line(text)
    return not isinstance(parsed, Action) or parsed.id is not None
