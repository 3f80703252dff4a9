"""Writing bodies of lines until InfluxDB has acknowledged each line that it can keep."""

from collections.abc import Iterator

from contract.errors import StoreConflict
from stores.influx.connection import Answer, InfluxConnection, unavailable
from stores.influx.line_protocol import halves
from stores.influx.refusal import dropped_as_old, is_for_ever, is_too_large, without_values
from stores.influx.schema import Bucket
from stores.side_by_side import side_by_side


class InfluxWriter:
    """Writes to one bucket. `expires`: lines beyond its retention may be dropped; else that is an error."""

    def __init__(self, connection: InfluxConnection, bucket: Bucket, *, side_by_side: int, expires: bool) -> None:
        """`side_by_side`: how many requests may be under way at a time."""
        self._connection = connection
        self._bucket = bucket
        self._side_by_side = side_by_side
        self._expires = expires

    async def write(self, bodies: Iterator[bytes]) -> None:
        """Returns when all lines are acknowledged. A body is made only when its request's turn comes.

        Raises StoreConflict or StoreUnavailable at the first body that fails; the others may be written or not.
        """
        await side_by_side(map(self._write_body, bodies), self._side_by_side)

    async def _write_body(self, body: bytes) -> None:
        refusal = await self._connection.write(self._bucket, body)
        if refusal is None:
            return
        for part in self._again(body, refusal):
            await self._write_body(part)

    def _again(self, body: bytes, refusal: Answer) -> list[bytes]:
        """What of a refused body to send once more; raises where that would be of no use, or not right."""
        lines = body.count(b"\n") + 1
        what = f"{lines} lines for {self._bucket.name}"
        if is_too_large(refusal):
            if b"\n" not in body:
                raise StoreConflict(f"{what}: too large, with {len(body)} bytes: {_shown(body)}", reason="too_large")
            return [*halves(body)]
        if self._expires and (dropped := dropped_as_old(refusal)):
            return _without_oldest(body, dropped)
        if is_for_ever(refusal):
            text = without_values(refusal.text)
            raise StoreConflict(f"{what}, the first {_shown(body)}: {text}", reason="conflict")
        raise unavailable(refusal, what)


def _without_oldest(body: bytes, count: int) -> list[bytes]:
    lines = sorted(body.split(b"\n"), key=_time_of)
    return [b"\n".join(lines[count:])] if lines[count:] else []


def _shown(body: bytes) -> str:
    """Measurement and tags of the first line: its fields say who did something."""
    return body[: body.find(b" ")].decode(errors="replace")


def _time_of(line: bytes) -> int:
    return int(line[line.rindex(b" ") :])
