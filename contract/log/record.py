"""A record: one Kafka message that carries 1 to 1,000 actions as NDJSON, all of users that live on its partition."""

from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

import msgspec

from contract.log.action import Action, Rejection, parse_lines, reject
from contract.log.counts import count_lines
from contract.log.progress import RecordMark
from contract.log.rebuild import REBUILD_HEADER, Rebuild

MAX_LINES: Final = 1_000
MAX_BYTES: Final = 512 * 1024
PARTITIONS_HEADER: Final = "partitions"
"""The partition count that the record's producer used, in decimal digits."""


Headers = Iterable[tuple[str, bytes | None]]


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as read from the log. `timestamp` is when the broker appended it, ms since the epoch."""

    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    partitions: int
    """From the header; 0 where it is missing or malformed."""
    is_rebuild: bool = False
    """Whether its headers say that it carries a rebuild instead of actions."""
    manifest: str = ""
    """Id of the rebuild's manifest, from the header; of any form."""


def record_of(partition: int, offset: int, timestamp: int, value: bytes | None, headers: Headers | None) -> Record:
    """A record with what its headers say. Unknown headers are ignored."""
    partitions, is_rebuild, manifest = 0, False, ""
    for name, content in headers or ():
        if name == PARTITIONS_HEADER:
            partitions = partitions_in(content)
        elif name == REBUILD_HEADER:
            is_rebuild, manifest = True, (content or b"").decode(errors="replace")
    return Record(partition, offset, timestamp, value, partitions, is_rebuild, manifest)


def mark_of(record: Record) -> RecordMark:
    """What identifies the record."""
    return RecordMark(record.timestamp, crc32(record.value or b""))


def partitions_in(header: bytes | None) -> int:
    """The partition count in a header's value; 0 if there is none, or it is malformed."""
    if header is None or not header.isdigit() or len(header) > 9:  # noqa: PLR2004 - nine digits are always a sane int
        return 0
    return int(header)


def lines_of(record: Record) -> list[Action | Rejection]:
    """One entry a line, in order; no entries for a rebuild, whether it takes effect or not."""
    if not record.is_rebuild:
        return decode_record(record.value)
    known = Rebuild.decode(record.value, record.offset) is not None
    return [] if known else [reject("record_not_a_rebuild", None, record.value)]


def decode_record(value: bytes | None) -> list[Action | Rejection]:
    """One entry a line, in order. A record that breaks a rule as a whole is one rejected line."""
    if value is None:
        return [reject("record_null", None, None)]
    if not value:
        return [reject("record_empty", None, value)]
    if len(value) > MAX_BYTES:
        return [reject("record_too_large", None, value)]
    if count_lines(value) > MAX_LINES:
        return [reject("record_too_many_lines", None, value)]
    return parse_lines(value)


def encode_records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Packs lines (without their newlines, each far below MAX_BYTES) into as few records as the limits allow."""
    packed: list[bytes] = []
    size = 0
    for line in lines:
        if len(packed) == MAX_LINES or size + len(line) + 1 > MAX_BYTES:
            yield b"\n".join(packed) + b"\n"
            packed, size = [], 0
        packed.append(line)
        size += len(line) + 1
    if packed:
        yield b"\n".join(packed) + b"\n"
