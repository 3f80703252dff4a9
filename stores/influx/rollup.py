"""The hours' points in InfluxDB 1.8 and 2.x: the measurement `hours`, for those who query InfluxDB themselves."""

from collections.abc import Iterable, Iterator, Mapping

from contract.hour import HOUR_MS, hour_of
from contract.windows.rollup import Fields, Mark
from stores.influx import schema
from stores.influx.connection import InfluxConnection
from stores.influx.line_protocol import point_bodies
from stores.influx.response import Series
from stores.influx.schema import MS, WITHIN_HOUR, Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.writer import InfluxWriter


class InfluxRollup:
    """Implements contract.windows.rollup.RollupStore, with connections of its own."""

    def __init__(self, settings: InfluxSettings) -> None:
        """Opens nothing."""
        self._connection = InfluxConnection(settings)
        self._bucket = Bucket.named(settings.hourly_bucket)
        self._writer = InfluxWriter(self._connection, self._bucket, side_by_side=1, expires=False)

    async def read_marks(self, first: int, end: int) -> dict[int, Mark]:
        (found,) = await self._connection.query(self._bucket, schema.marks_between(first, end))
        return {hour: tuple(value or 0 for value in row) for hour, row in _rows(found)}

    async def next_hour(self, first: int) -> int | None:
        (found,) = await self._connection.query(self._bucket, schema.first_since(first))
        return min((hour_of(hour) for hour, _ in _rows(found)), default=None)

    async def read_points(self, first: int, end: int) -> dict[int, Fields]:
        (found,) = await self._connection.query(self._bucket, schema.points_between(first, end))
        return {
            (row[0] - WITHIN_HOUR) // MS: {
                name: value for name, value in zip(series.columns[1:], row[1:], strict=True) if value is not None
            }
            for series in found
            for row in series.values
            # Any other point is not one of these, whoever wrote it.
            if row[0] % (HOUR_MS * MS) == WITHIN_HOUR
        }

    async def write_points(self, points: Mapping[int, Fields]) -> None:
        await self._writer.write(point_bodies(points))

    async def close(self) -> None:
        """Closes the connections."""
        await self._connection.close()


def _rows(found: Iterable[Series]) -> Iterator[tuple[int, list[int | None]]]:
    for series in found:
        for time, *values in series.values:
            yield time // MS, values
