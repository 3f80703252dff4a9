"""The form in which several raw actions are one value, in whatever store: zstd over lines of JSON.

The first line is `{"format":1,"numbers":[[7,3],[12,1]]}`: the actions are lines 7, 8, 9 and 12 of their partition. Each
other line is an action, as in the log. zstd's first level takes 0.1 us an action, and leaves 8 bytes of it, and as many
of a random id; columns, MessagePack and higher levels gave no more than a tenth. Any zstd program shows what is in it.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import cramjam
import msgspec

from contract.errors import StateUnreadable
from contract.log.action import Action
from contract.store import StoredAction

FORMAT: Final = 1
"""Incremented whenever a program that reads the form before could not read what is written."""

_LEVEL: Final = 1

Spans = list[tuple[int, int]]
"""Of consecutive numbers: the first, and how many."""


class _Header(msgspec.Struct):
    format: int
    numbers: Spans = []


class _Version(msgspec.Struct):
    format: int


_encode_lines = msgspec.json.Encoder().encode_lines
_decode_lines = msgspec.json.Decoder(Action).decode_lines


def pack(numbers: Sequence[int], actions: Sequence[Action]) -> bytes:
    """One value that holds the actions, each with its line's number; these rise."""
    header = _Header(FORMAT, _spans(numbers))
    return bytes(cramjam.zstd.compress(_encode_lines([header, *actions]), _LEVEL))


def unpack(packed: bytes) -> list[StoredAction]:
    """What was packed. Raises StateUnreadable."""
    try:
        header, _, lines = bytes(cramjam.zstd.decompress(packed)).partition(b"\n")
        found = msgspec.json.decode(header, type=_Version).format
        if found != FORMAT:
            raise StateUnreadable(f"packed actions of format {found}: this program reads format {FORMAT}")
        spans = msgspec.json.decode(header, type=_Header).numbers
        numbers = chain.from_iterable(range(first, first + count) for first, count in spans)
        return [StoredAction(*pair) for pair in zip(numbers, _decode_lines(lines), strict=True)]
    except (cramjam.DecompressionError, msgspec.DecodeError, ValueError) as error:
        raise StateUnreadable(f"packed actions of {len(packed)} bytes: {error}") from error


def _spans(numbers: Sequence[int]) -> Spans:
    spans: Spans = []
    begin = end = numbers[0]
    for number in numbers:
        if number != end:
            spans.append((begin, end - begin))
            begin = number
        end = number + 1
    return [*spans, (begin, end - begin)]
