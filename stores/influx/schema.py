"""What the store holds in InfluxDB: names, times and the queries. docs/design.md says why it is so.

In `hourly/autogen`, kept without limit:
    hourly        log, partition        time: the hour's start + slot
                                        state; numbers: through_offset, unique_users, count_<event>
    hourly_users  log, partition, part, generation, full
                                        time: the hour's start + through_offset   users, ids: base64 of their hashes
    progress      log, partition        time: the hour of its watermark + slot   state
    hours         (none)                time: the hour's start + 1               clicks, impressions, unique_users, …
    rebuilds      log, partition, manifest   time: the rebuild's generation       state
In `actions/autogen`, kept for the retention:
    actions       event, lap, log, partition   time: the action's ms, then six digits of its line's number
                                                                                 user, id; name
    action_runs   lap, log, partition   time: the hour's start + its first line and how many    packed: base64

Events that the settings do not name share the tag `_other`, with their names in the field `name`, and the field
`count__other`: foreign producers can make up any number of them.
`state` is one text because a reader of a point that is being overwritten sees a mix of old and new fields. The numbers
beside it are for people, for the marks of hours and the versions of blocks; `hours` is for people only. All times are
ns since the epoch; all queries ask for them so (epoch=ns).
"""

from typing import Final, NamedTuple, Self

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition
from contract.store import BLOCK_MS, SLOTS
from contract.windows.window_value import WindowValue

MS: Final = 1_000_000
"""A millisecond in ns: as many lines of one event and ms have times of their own within a lap."""

RUN_LAP: Final = 100_000_000
"""Lines whose runs share a series."""

RUN_LENGTHS: Final = SLOTS // RUN_LAP
"""A run of an hour has less than so many actions: its first line's number and they have a ns of the hour together."""

WITHIN_HOUR: Final = 1
"""Nanoseconds after the hour's start at which its point of `hours` lies.

At its start, a span that ends there would hold it where ends are inclusive: in Flux of 1.8, in Grafana's $timeFilter.
"""

LAST_PROGRESS: Final = 'SELECT LAST("state") FROM "progress"{where} GROUP BY "log", "partition"'
"""For each source its latest point. Watermarks rise with offsets, so its highest progress lies in that point's hour."""

PROGRESS_OF_HOUR: Final = 'SELECT "state" FROM "progress" WHERE {times}{and_source} GROUP BY "log", "partition"'
"""All slots of one hour."""

WINDOWS: Final = 'SELECT "state" FROM "hourly" WHERE {times}{and_source} GROUP BY "log", "partition"'
"""All slots of one hour, or of several."""

BLOCK_VERSIONS: Final = (
    'SELECT COUNT("through_offset"), SUM("through_offset") FROM "hourly" WHERE {times}{and_source}'
    ' GROUP BY "log", "partition", time({block}ms) fill(none)'
)
"""For each block of hours what tells that a value of it was written: to read numbers is far cheaper than states."""

SEGMENTS: Final = (
    'SELECT "users", "ids" FROM "hourly_users" WHERE {times}{and_source}'
    " AND \"generation\" = '{generation}' AND \"full\" = '{full}'"
    ' GROUP BY "log", "partition", "part", "generation", "full"'
)
"""All parts of the segments of one hour within some offsets. A tag that a point has not is like an empty one."""

SMALL_SEGMENTS: Final = (
    'SELECT "users", "ids" FROM "hourly_users" WHERE {times}{and_source}'
    " AND \"part\" = '0/1' AND \"generation\" = '' AND \"full\" = ''"
)
"""All segments of several hours that were neither cut, nor rebuilt, nor full, in the order of the hours."""

MANIFESTS: Final = 'SELECT "state" FROM "rebuilds" WHERE {is_source} GROUP BY "log", "partition", "manifest"'
"""All manifests of a partition: one for each of its rebuilds."""

ACTIONS: Final = (
    'SELECT "user", "id", "name", "event" FROM "actions" WHERE {times} AND {is_source}'
    ' GROUP BY "log", "partition", "lap"'
)
"""Raw actions by the order of their times: where an event's name moved to another tag, a line's points follow on one
another."""

ACTION_RUNS: Final = (
    'SELECT "packed" FROM "action_runs" WHERE {times} AND {is_source} GROUP BY "log", "partition", "lap"'
)
"""Packed raw actions by the numbers of their first lines."""

FULL: Final = "yes"
"""The tag `full` of segments that hold all hashes up to their offset; others do not have it."""

MARKS: Final = 'SELECT COUNT("unique_users"), SUM(*) FROM "hourly" WHERE {times} GROUP BY time(1h) fill(none)'
"""What the numbers of an hour's slots add up to. The time needs an end: without one, InfluxQL takes the clock."""

FIRST_SINCE: Final = 'SELECT FIRST("unique_users") FROM "hourly" WHERE time >= {time}'
"""The first slot from there on."""

POINTS: Final = 'SELECT * FROM "hours" WHERE {times}'
"""All fields: other events have names of their own."""

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


def block_versions(source: LogPartition) -> str:
    """The query for the versions of all blocks."""
    return BLOCK_VERSIONS.format(times=_between(0, END_OF_TIME_MS), and_source=_and(source), block=BLOCK_MS)


def segments_of_window(hour: int, source: LogPartition, window: WindowValue) -> list[str]:
    """The queries for the segments that belong to a window of the hour that starts at `hour` ms."""
    full = _segments(hour, source, window, window.full_through, window.full_through)
    later = _segments(hour, source, window, window.full_through + 1, window.through_offset)
    return [later] if window.full_through < 0 else [full, later]


def _segments(hour: int, source: LogPartition, window: WindowValue, first: int, last: int) -> str:
    start = hour * MS
    return SEGMENTS.format(
        times=f"time >= {start + first} AND time <= {start + min(last, SLOTS - 1)}",
        and_source=_and(source),
        generation=window.generation or "",
        full=FULL if first == window.full_through else "",
    )


def small_segments_between(first: int, end: int, source: LogPartition) -> str:
    """The query for the segments, of one part and not full, of the hours from `first` ms up to `end` ms."""
    return SMALL_SEGMENTS.format(times=_between(first, end), and_source=_and(source))


def marks_between(first: int, end: int) -> str:
    """The query for the marks of the hours from `first` ms up to, not including, `end` ms."""
    return MARKS.format(times=_between(first, end))


def first_since(first: int) -> str:
    """The query for the first window from `first` ms on."""
    return FIRST_SINCE.format(time=first * MS)


def points_between(first: int, end: int) -> str:
    """The query for what stands in `hours` from `first` ms up to, not including, `end` ms."""
    return POINTS.format(times=_between(first, end))


def manifests(source: LogPartition) -> str:
    """The query for the manifests of one source."""
    return MANIFESTS.format(is_source=_is(source))


def actions_of_hour(hour: int, source: LogPartition) -> str:
    """The query for the raw actions of one hour that are points."""
    return ACTIONS.format(times=_between(hour, hour + HOUR_MS), is_source=_is(source))


def action_runs_of_hour(hour: int, source: LogPartition) -> str:
    """The query for the raw actions of one hour that are packed."""
    return ACTION_RUNS.format(times=_between(hour, hour + HOUR_MS), is_source=_is(source))


def quoted_name(name: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + _escaped(name, '"') + '"'


def quoted_text(text: str) -> str:
    """A string of InfluxQL."""
    return "'" + _escaped(text, "'") + "'"


def _between(first: int, end: int) -> str:
    return f"time >= {first * MS} AND time < {end * MS}"


def _and(source: LogPartition | None) -> str:
    return "" if source is None else f" AND {_is(source)}"


def _is(source: LogPartition) -> str:
    return f"\"log\" = '{_escaped(source.log, chr(39))}' AND \"partition\" = '{source.partition}'"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")
