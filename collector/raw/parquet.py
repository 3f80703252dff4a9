"""Raw actions as Parquet, where pyarrow is installed: it is larger than all else of ours, and few need it."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, BinaryIO, Final

import typer

from contract.log.action import Action

_ROWS: Final = 100_000
"""Rows in a row group: what is in memory at a time."""


class ParquetWriter:
    """Columns timestamp (ms, UTC), user, event, id; zstd. An action without an id has none."""

    def __init__(self, output: BinaryIO) -> None:
        """Raises typer.BadParameter where pyarrow is missing."""
        try:
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise typer.BadParameter(
                "--format parquet needs pyarrow: `pip install .[parquet]`; or take csv or ndjson"
            ) from error
        arrow = self._arrow
        text = arrow.dictionary(arrow.int32(), arrow.string())
        self._schema = arrow.schema(
            [
                arrow.field("timestamp", arrow.timestamp("ms", tz="UTC"), nullable=False),
                arrow.field("user", arrow.string(), nullable=False),
                arrow.field("event", text, nullable=False),
                arrow.field("id", arrow.string()),
            ]
        )
        self._file = parquet.ParquetWriter(output, self._schema, compression="zstd")
        self._output = output
        self._pending: list[Action] = []

    def write(self, actions: Sequence[Action]) -> None:
        self._pending += actions
        if len(self._pending) >= _ROWS:
            self._write_group()

    def end(self) -> None:
        if self._pending:
            self._write_group()
        self._file.close()
        self._output.flush()

    def _write_group(self) -> None:
        columns = {name: [getattr(action, name) for action in self._pending] for name in self._schema.names}
        self._file.write_table(self._arrow.table(columns, schema=self._schema))
        self._pending = []
