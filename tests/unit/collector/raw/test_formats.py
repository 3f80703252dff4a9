import csv
import sys
from io import BytesIO, StringIO

import pytest
import typer

from collector.raw.formats import CsvWriter, NdjsonWriter, Writer
from collector.raw.parquet import ParquetWriter
from contract.log.action import Action, parse_line

ACTIONS = [
    Action(1_764_000_000_000, 'quo"te, \\ Zoë 🦊', "click", "i,d"),
    Action(1_764_000_000_001, "=1+1", "e"),
    Action(5, "plain", "click", "plain"),
]


def written(writer: Writer) -> None:
    writer.write(ACTIONS[:2])
    writer.write(ACTIONS[2:])
    writer.end()


def test_ndjson_is_lines_as_in_the_log() -> None:
    output = BytesIO()
    written(NdjsonWriter(output))
    assert [parse_line(line) for line in output.getvalue().splitlines()] == ACTIONS


def test_csv_has_one_header_and_an_empty_id_where_there_is_none() -> None:
    output = BytesIO()
    written(CsvWriter(output))
    header, *rows = csv.reader(StringIO(output.getvalue().decode(), newline=""))
    assert header == ["timestamp", "user", "event", "id"]
    assert rows == [[str(one.timestamp), one.user, one.event, one.id or ""] for one in ACTIONS]


def test_parquet_has_typed_columns() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    output = BytesIO()
    written(ParquetWriter(output))
    rows = parquet.read_table(BytesIO(output.getvalue())).to_pylist()
    assert [
        Action(round(row["timestamp"].timestamp() * 1_000), row["user"], row["event"], row["id"]) for row in rows
    ] == ACTIONS


def test_without_pyarrow_parquet_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(typer.BadParameter, match=r"pip install .\[parquet\]"):
        ParquetWriter(BytesIO())
