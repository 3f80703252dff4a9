"""Rows on their way to one partition of Cassandra: as few writes as their size allows for."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

MAX_BYTES: Final = 512 * 1024
"""Bytes in a write, unless one row has more: far below the 16 MB that Cassandra takes by default."""

MAX_ROWS: Final = 1_000

_BYTES_OF_ROW: Final = 100
"""What a row takes beside its values, about."""

_SIZED: Final = (str, bytes)
"""A tuple: `str | bytes` is built anew for each value."""

Values = tuple[object, ...]


class Mutation(NamedTuple):
    """Rows of one partition of Cassandra: a replica stores all of them or none."""

    query: str
    rows: list[Values]


def mutations(query: str, rows: Iterable[Values]) -> Iterator[Mutation]:
    """Rows of one partition, in order, in writes of a bounded size."""
    some: list[Values] = []
    size = 0
    for row in rows:
        more = size_of(row)
        if some and (len(some) == MAX_ROWS or size + more > MAX_BYTES):
            yield Mutation(query, some)
            some, size = [], 0
        some.append(row)
        size += more
    if some:
        yield Mutation(query, some)


def size_of(row: Values) -> int:
    """About how many bytes a row takes."""
    return _BYTES_OF_ROW + sum([len(value) for value in row if isinstance(value, _SIZED)])
