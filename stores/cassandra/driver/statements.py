"""Rows as the one request that writes them."""

from itertools import pairwise
from typing import Any

from cassandra.query import BatchStatement, BatchType  # type: ignore[import-untyped] # the driver has no types

from stores.cassandra.driver.mutations import Values


def write_of(prepared: Any, rows: list[Values]) -> Any:  # noqa: ANN401 - the driver has no types
    """One row is no batch; the rows of a batch are one write, as they are of one partition of Cassandra.

    The driver binds the first row, and says by it where the partition is. The others are serialized here: what a row
    has in common with the one before is so already. To have the driver bind them all took 4 times as long, a fifth of
    all that a flush takes a worker.
    """
    bound = prepared.bind(rows[0])
    if len(rows) == 1:
        return bound
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.is_idempotent = True
    batch.add(bound)
    version, serializers = prepared.protocol_version, [column.type.serialize for column in prepared.column_metadata]
    for before, row in pairwise(rows):
        bound.values = [
            same if value == last else serialize(value, version)
            for serialize, value, last, same in zip(serializers, row, before, bound.values, strict=True)
        ]
        batch.add(bound)
    return batch
