"""What the store holds in InfluxDB: names, times and the queries. docs/design.md says why it is so.

In `hourly/autogen`, kept for ever:
    hourly        log, partition        time: the hour's start + place            state; count_<event>, unique_users
    hourly_users  log, partition, part  time: the hour's start + through_offset   users, ids: base64 of their hashes
    progress      log, partition        time: the hour of its watermark + place   state
In `actions/autogen`, kept for the retention:
    actions       event, lap, log, partition   time: the action's ms, then six digits of its line's number   user, id

`state` is one text because a reader of a point that is being overwritten sees a mix of old and new fields. The numbers
beside it are for people. All times are ns since the epoch; all queries ask for them so (epoch=ns).
"""

from typing import Final, NamedTuple, Self

from contract.hour import HOUR_MS
from contract.progress import LogPartition
from contract.store import PLACES

MS: Final = 1_000_000
"""A millisecond in ns: as many lines of one event and ms have times of their own within a lap."""

LAST_PROGRESS: Final = 'SELECT LAST("state") FROM "progress"{where} GROUP BY "log", "partition"'
"""For each source its latest point. Watermarks rise with offsets, so its highest progress lies in that point's hour."""

PROGRESS_OF_HOUR: Final = 'SELECT "state" FROM "progress" WHERE {times}{and_source} GROUP BY "log", "partition"'
"""All places of one hour."""

WINDOWS: Final = 'SELECT "state" FROM "hourly" WHERE {times}{and_source} GROUP BY "log", "partition"'
"""All places of one hour, or of several."""

SEGMENTS_OF_HOUR: Final = (
    'SELECT "users", "ids" FROM "hourly_users" WHERE {times}{and_source} GROUP BY "log", "partition", "part"'
)
"""All parts of the segments of one hour up to an offset."""

PROBE: Final = 'SELECT "state" FROM "progress" WHERE time = 0'
"""Finds next to nothing, and fails where the bucket is missing or we may not read it."""


class Bucket(NamedTuple):
    """A bucket as InfluxQL addresses it. 2.x maps `database/policy` to the bucket of that name by itself."""

    name: str
    database: str
    policy: str

    @classmethod
    def named(cls, name: str) -> Self:
        """The bucket `database/policy`, or `database` (whose policy is autogen, as in 2.x)."""
        database, _, policy = name.partition("/")
        return cls(name, database, policy or "autogen")


def last_progress(source: LogPartition | None) -> str:
    """The query for the latest progress point of each source, or of one."""
    return LAST_PROGRESS.format(where="" if source is None else f" WHERE {_is(source)}")


def progress_of_hour(hour: int, source: LogPartition | None) -> str:
    """The query for all progress points of the hour that starts at `hour` ms."""
    return PROGRESS_OF_HOUR.format(times=_between(hour, hour + HOUR_MS), and_source=_and(source))


def windows_between(first: int, end: int, source: LogPartition | None) -> str:
    """The query for all windows of the hours from `first` ms up to, not including, `end` ms."""
    return WINDOWS.format(times=_between(first, end), and_source=_and(source))


def segments_of_hour(hour: int, source: LogPartition, through_offset: int) -> str:
    """The query for the segments of the hour that starts at `hour` ms, up to and including `through_offset`."""
    last = hour * MS + min(through_offset, PLACES - 1)
    return SEGMENTS_OF_HOUR.format(times=f"time >= {hour * MS} AND time <= {last}", and_source=_and(source))


def quoted_name(name: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + _escaped(name, '"') + '"'


def _between(first: int, end: int) -> str:
    return f"time >= {first * MS} AND time < {end * MS}"


def _and(source: LogPartition | None) -> str:
    return "" if source is None else f" AND {_is(source)}"


def _is(source: LogPartition) -> str:
    return f"\"log\" = '{_escaped(source.log, chr(39))}' AND \"partition\" = '{source.partition}'"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")
