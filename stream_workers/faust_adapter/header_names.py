"""aiokafka's fetched records, but one of them with a header whose name is no UTF-8 does not end all reading.

The protocol lets such a name be written, and aiokafka decodes each strictly: whoever may write to the topic could stop
every worker, until retention removed that record. Such a record is read as one without headers, as `kafka_log.reader`
does. Only where a name could not be decoded, what was fetched is gone through in Python.

Private names of aiokafka are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py
lists each.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c, decode_varint

_FRAME: Final = struct.Struct(">qi")
"""A batch's first offset, and how many bytes follow."""
_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""All that stands before a batch's records; the last of it is how many there are."""
_MAGIC_AT: Final = 16
_MAGIC: Final = 2
"""Of batches whose records have headers."""
_CRC_AT: Final = 17
_CHECKED_FROM: Final = 21
_CODECS: Final[dict[int, Callable[[bytes], Any]]] = {
    0: lambda data: data,
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
_CODEC_MASK: Final = 0x07


def read_any_header_name() -> None:
    """All consumers of this process that are made later read such records."""
    fetcher.MemoryRecords = FetchedRecords
    fetcher.PartitionRecords = ReadableRecords


class FetchedRecords:
    """Stands where the fetcher keeps its MemoryRecords, under that one's names."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._take(data)

    def _take(self, data: bytes) -> None:
        records = MemoryRecords(data)
        self.has_next = records.has_next
        self.next_batch = records.next_batch
        self.size_in_bytes = records.size_in_bytes

    def read_without_bad_names(self, first: int) -> None:
        """What comes next are the batches that end at offset `first` or later, without what cannot be decoded."""
        self._take(without_bad_names(self._data, first))


class ReadableRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka is untyped here
    """What was fetched of a partition."""

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            # Its batch was not passed yet: what it knows of transactions is as it was before.
            self._records.read_without_bad_names(self.next_fetch_offset)
            yield from super()._unpack_records()


def without_bad_names(data: bytes, first: int) -> bytes:
    """The batches that end at offset `first` or later.

    Where a record has a header whose name is no UTF-8, the names of all its headers are question marks, which nobody
    looks for. What is damaged stays as it is, so that it is found.
    """
    batches, at = [], 0
    while at + _HEAD.size <= len(data):
        base, length, _, magic, _, _, last, *_ = _HEAD.unpack_from(data, at)
        end = at + _FRAME.size + max(0, length)
        if end > len(data):
            break
        if base + (last if magic >= _MAGIC else 0) >= first:
            batches.append(_readable(data[at:end]))
        at = end
    return b"".join(batches) + data[at:]


def _readable(batch: bytes) -> bytes:
    if len(batch) < _HEAD.size or batch[_MAGIC_AT] < _MAGIC or not DefaultRecordBatch(batch).validate_crc():
        return batch
    base, _, epoch, magic, _, attributes, *others = _HEAD.unpack_from(batch)
    records = bytearray(_CODECS[attributes & _CODEC_MASK](batch[_HEAD.size :]))
    try:
        is_bad = _blank_bad_names(records, others[-1])
    except (IndexError, ValueError):
        return batch
    if not is_bad:
        return batch
    length = _HEAD.size - _FRAME.size + len(records)
    head = bytearray(_HEAD.pack(base, length, epoch, magic, 0, attributes & ~_CODEC_MASK, *others))
    struct.pack_into(">I", head, _CRC_AT, calc_crc32c(bytes(head[_CHECKED_FROM:] + records)))
    return bytes(head + records)


def _blank_bad_names(records: bytearray, count: int) -> bool:
    """Whether any of the records had such a name. Raises IndexError or ValueError for what is no record."""
    at, is_bad = 0, False
    for _ in range(count):
        length, at = decode_varint(records, at)
        names = _names_in(records, at)
        if not all(_is_utf8(records[name]) for name in names):
            is_bad = True
            for name in names:
                records[name] = b"?" * (name.stop - name.start)
        at += length
    return is_bad


def _names_in(records: bytearray, at: int) -> list[slice]:
    """Where the names of a record's headers are; `at`: where it begins, behind its length."""
    at += 1  # attributes
    for _ in range(2):  # the differences of time and offset
        _, at = decode_varint(records, at)
    for _ in range(2):  # key and value
        _, at = _bytes_at(records, at)
    count, at = decode_varint(records, at)
    names = []
    for _ in range(count):
        name, at = _bytes_at(records, at)
        names.append(name)
        _, at = _bytes_at(records, at)
    return names


def _bytes_at(records: bytearray, at: int) -> tuple[slice, int]:
    """Where the bytes are whose length stands here, and what follows; -1 as a length: there are none."""
    length, at = decode_varint(records, at)
    end = at + max(0, length)
    return slice(at, end), end


def _is_utf8(name: bytearray) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
