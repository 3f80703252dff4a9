"""Headers whose names are any bytes: no client library writes them, but the protocol can."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self

import pytest
from aiokafka.producer import message_accumulator, producer
from aiokafka.record import default_records

Headers = list[tuple[str, bytes | None]]
Builder = default_records._DefaultRecordBatchBuilderPy  # noqa: SLF001 - the one in Python encodes what it is given


class Name(str):
    """A header's name that is written as these bytes."""

    __slots__ = ("_bytes",)

    def __new__(cls, content: bytes) -> Self:
        self = super().__new__(cls, content.decode(errors="replace"))
        self._bytes = content
        return self

    def encode(self, *_: str) -> bytes:
        return self._bytes


BAD = Name(b"\xff\xfe\x80")


def batch_of(records: Iterable[tuple[bytes, Headers]], base: int = 0, compression: int = 0) -> bytes:
    """A batch as a broker hands it out: values and headers from offset `base` on."""
    builder = Builder(
        2, compression, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 20
    )
    for number, (value, headers) in enumerate(records):
        builder.append(number, 1_000 + number, None, value, headers)
    batch = builder.build()
    batch[:8] = base.to_bytes(8, "big")
    return bytes(batch)


@contextmanager
def any_names() -> Iterator[None]:
    """Within, aiokafka's producers write such names."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (message_accumulator, producer):
            patch.setattr(module, "DefaultRecordBatchBuilder", Builder)
        yield
