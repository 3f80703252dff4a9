"""A write holds what the driver itself would make of its rows."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cassandra import cqltypes  # type: ignore[import-untyped] # the driver has no types
from cassandra.protocol import (  # type: ignore[import-untyped] # likewise
    BatchMessage,
    ColumnMetadata,
    ProtocolHandler,
)
from cassandra.query import BatchStatement, BatchType, PreparedStatement  # type: ignore[import-untyped] # likewise

from stores.cassandra.driver.mutations import Values
from stores.cassandra.driver.statements import write_of

PROTOCOL = 4
KEYS = (0, 1)
TYPES = {
    "log": cqltypes.UTF8Type,
    "bucket": cqltypes.Int32Type,
    "hour": cqltypes.DateType,
    "is_full": cqltypes.BooleanType,
    "through_offset": cqltypes.LongType,
    "users": cqltypes.BytesType,
}
FIRST = ("log", 3, 3_600_000, False, 7, b"")


@pytest.fixture
def prepared() -> Any:  # noqa: ANN401 - the driver has no types
    columns = [ColumnMetadata("keyspace", "table", name, kind) for name, kind in TYPES.items()]
    one = PreparedStatement(columns, os.urandom(16), KEYS, "INSERT", "keyspace", PROTOCOL, None, None)
    one.is_idempotent = True
    return one


def bound_by_the_driver(prepared: Any, rows: Sequence[Values]) -> Any:  # noqa: ANN401 - as above
    batch = BatchStatement(BatchType.UNLOGGED)
    for row in rows:
        batch.add(prepared.bind(row))
    return batch


def sent(batch: Any) -> bytes:  # noqa: ANN401 - as above
    queries = batch._statements_and_parameters  # noqa: SLF001 # what the driver's session reads, too
    message = BatchMessage(batch.batch_type, queries, 6, timestamp=1)
    return bytes(ProtocolHandler.encode_message(message, 1, PROTOCOL, None, allow_beta_protocol_version=False))


def changed(number: int) -> Callable[[int], Values]:
    """Rows of which this column alone is each time another."""
    values: Sequence[Callable[[int], object]] = (
        lambda row: f"log-{row}é",
        lambda row: -row,
        lambda row: row * 3_600_000,
        lambda row: row % 2 == 0,
        lambda row: 2**62 + row,
        lambda row: bytes([row] * row),
    )
    return lambda row: (*FIRST[:number], values[number](row), *FIRST[number + 1 :])


@pytest.mark.parametrize("number", range(len(TYPES)), ids=TYPES)
def test_a_batch_is_what_the_driver_makes_of_its_rows(prepared: Any, number: int) -> None:  # noqa: ANN401 - as above
    rows = [FIRST, FIRST, *map(changed(number), range(10)), FIRST]
    expected, batch = bound_by_the_driver(prepared, rows), write_of(prepared, rows)
    assert sent(batch) == sent(expected)
    assert (batch.keyspace, batch.routing_key) == (expected.keyspace, expected.routing_key)


def test_a_batch_may_be_sent_again(prepared: Any) -> None:  # noqa: ANN401 - as above
    assert write_of(prepared, [FIRST, FIRST]).is_idempotent


def test_one_row_is_no_batch(prepared: Any) -> None:  # noqa: ANN401 - as above
    statement = write_of(prepared, [FIRST])
    assert not isinstance(statement, BatchStatement)
    assert statement.values == prepared.bind(FIRST).values


@pytest.mark.parametrize("row", [FIRST[:-1], (*FIRST, 1)])
def test_a_row_with_too_few_or_too_many_values_is_never_sent(prepared: Any, row: Values) -> None:  # noqa: ANN401 - as above
    with pytest.raises(ValueError, match="argument"):
        write_of(prepared, [FIRST, row])
