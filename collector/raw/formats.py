"""The formats that raw actions are written in, portion by portion."""

import csv
from collections.abc import Sequence
from enum import StrEnum
from io import StringIO
from typing import BinaryIO, Protocol

import msgspec

from contract.log.action import FIELDS, Action


class RawFormat(StrEnum):
    """How raw actions are printed."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


class Writer(Protocol):
    """Writes actions in one format."""

    def write(self, actions: Sequence[Action]) -> None:
        """Writes some actions."""

    def end(self) -> None:
        """Writes what a whole file ends with."""


class NdjsonWriter:
    """One JSON object a line, as in the log: `collector send` takes it."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._encode = msgspec.json.Encoder().encode_lines

    def write(self, actions: Sequence[Action]) -> None:
        self._output.write(self._encode(actions))

    def end(self) -> None:
        self._output.flush()


class CsvWriter:
    """RFC 4180, with a header; an action without an id has an empty one."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._put([FIELDS])

    def write(self, actions: Sequence[Action]) -> None:
        self._put([(action.timestamp, action.user, action.event, action.id) for action in actions])

    def end(self) -> None:
        self._output.flush()

    def _put(self, rows: Sequence[Sequence[object]]) -> None:
        text = StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._output.write(text.getvalue().encode())
