"""Where in the log acknowledged actions lie: a producer is told, and a reader can ask whether they are counted.

`LOG.SINCE.PARTITION-OFFSET.PARTITION-OFFSET...`: opaque to both; the gateway and the clients only carry it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from contract.errors import InvalidPosition
from contract.log.progress import LogPartition, Progress

MAX_LENGTH: Final = 4_000
"""Characters that a URL and a header can carry everywhere: several hundred partitions."""

_FORM: Final = re.compile(
    r"(?P<log>[A-Za-z0-9_-]{1,64})\.(?P<since>\d{1,15})(?P<offsets>(\.\d{1,9}-\d{1,19})+)", re.ASCII
)


class Position(NamedTuple):
    """Records of one log, each named by the last one of its partition."""

    log: str
    since: int
    """None of them was appended before this instant, ms since the epoch, by the brokers' clocks."""
    offsets: Mapping[int, int]
    """By partition."""

    def text(self) -> str:
        """As it is told."""
        offsets = "".join([f".{partition}-{offset}" for partition, offset in self.offsets.items()])
        return f"{self.log}.{self.since}{offsets}"

    def is_counted(self, progress: Mapping[LogPartition, Progress]) -> bool:
        """Whether all of it is below progress.

        A producer may not know yet that the topic was created again, and name the log before it. But what that one
        counted is older than any record of the new one.
        """
        return all(
            (counted := progress.get(LogPartition(self.log, partition))) is not None
            and counted.through_offset >= offset
            and counted.watermark >= self.since
            for partition, offset in self.offsets.items()
        )


def parse_position(text: str) -> Position:
    """What `Position.text` made. Raises InvalidPosition."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidPosition("a position is what the header Collector-Position of an answer said")
    pairs = [pair.split("-") for pair in found["offsets"][1:].split(".")]
    return Position(found["log"], int(found["since"]), {int(partition): int(offset) for partition, offset in pairs})


def together(positions: Iterable[Position | None]) -> Position | None:
    """The position of all of them; None where one is unknown, or is of another log."""
    whole: Position | None = None
    for one in positions:
        if one is None or (whole is not None and one.log != whole.log):
            return None
        whole = one if whole is None else _both(whole, one)
    return whole


def _both(one: Position, other: Position) -> Position:
    offsets = dict(one.offsets)
    for partition, offset in other.offsets.items():
        offsets[partition] = max(offset, offsets.get(partition, offset))
    return Position(one.log, min(one.since, other.since), offsets)
