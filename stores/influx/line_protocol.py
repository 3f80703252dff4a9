"""Points as InfluxDB's line protocol, in bodies of a bounded size."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from contract.errors import StoreConflict
from contract.hour import hour_of
from contract.log.action import Action
from contract.log.event_names import OTHER_EVENTS
from contract.log.progress import LogPartition
from contract.state import encode_state
from contract.store import SLOTS, ManifestPoint, ProgressPoint, RawActions, SegmentPoint, WindowPoint
from contract.windows.rollup import Fields
from stores.influx.schema import FULL, MS, RUN_LAP, RUN_LENGTHS, WITHIN_HOUR
from stores.raw.runs import Run

MAX_LINES: Final = 5_000
"""Lines in a body: as fast as 10,000 and faster than 20,000 where four requests run side by side."""

MAX_BYTES: Final = 1_000_000
"""Bytes in a body, unless one line has more. Above a MiB aiohttp warns; above 25 MB 1.8 refuses, by default."""

MAX_RUN_BYTES: Final = 200_000
"""Of packed actions: 10,000 of them, which take 5 ms. Until a body is made, the process does nothing else."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def action_bodies(batches: Iterable[RawActions], oldest: int, events: frozenset[str]) -> Iterator[bytes]:
    """Bodies with the actions from `oldest` (ms since the epoch) on; `events` have series of their own."""
    pending: list[str] = []
    for source, first_line, lines in batches:
        for first, piece in _pieces(first_line, lines):
            if len(pending) + len(piece) > MAX_LINES:
                yield from _bounded("\n".join(pending).encode())
                pending = []
            pending += _action_lines(_prefixes(source, first // MS, events), first % MS, piece, oldest)
    yield from _bounded("\n".join(pending).encode())


def run_bodies(runs: Iterable[Run]) -> Iterator[bytes]:
    """Bodies with packed actions."""
    yield from _bodies(map(_run_line, runs), MAX_RUN_BYTES)


def result_bodies(
    windows: Iterable[WindowPoint], segments: Iterable[SegmentPoint], events: frozenset[str]
) -> Iterator[bytes]:
    """Bodies with windows and segments; beside the windows' states, `events` have numbers of their own."""
    yield from _bodies(map(_segment_line, segments))
    yield from _bodies(_window_line(window, events) for window in windows)


def progress_bodies(points: Iterable[ProgressPoint]) -> Iterator[bytes]:
    """Bodies with progress."""
    yield from _bodies(map(_progress_line, points))


def point_bodies(points: Mapping[int, Fields]) -> Iterator[bytes]:
    """Bodies with hours' points. Names of fields are constants, and events' names: these need no escapes."""
    yield from _bodies(_point_line(hour, fields) for hour, fields in points.items())


def manifest_bodies(points: Iterable[ManifestPoint]) -> Iterator[bytes]:
    """Bodies with manifests."""
    yield from _bodies(map(_manifest_line, points))


def _pieces(first_line: int, lines: Sequence[Action | None]) -> Iterator[tuple[int, Sequence[Action | None]]]:
    """`lines` cut where a lap ends, and so that a piece fits into a body, each with its first line's number."""
    start = 0
    while start < len(lines):
        first = first_line + start
        length = min(MAX_LINES, MS - first % MS)
        yield first, lines[start : start + length]
        start += length


def _action_lines(prefixes: "_Prefixes", first: int, lines: Sequence[Action | None], oldest: int) -> list[str]:
    """0.3 us an action, where none needs escapes. `first`: the number of the first line within its lap."""
    texts = "".join([action.user if action.id is None else action.user + action.id for action in lines if action])
    if '"' in texts or "\\" in texts:
        lines = [action and _escaped_action(action) for action in lines]
    return [
        f'{prefixes[action.event]}{action.user}" {action.timestamp * MS + number}'
        if action.id is None
        else f'{prefixes[action.event]}{action.user}",id="{action.id}" {action.timestamp * MS + number}'
        for number, action in enumerate(lines, first)
        if action is not None and action.timestamp >= oldest
    ]


def _escaped_action(action: Action) -> Action:
    return Action(
        timestamp=action.timestamp,
        user=_escaped(action.user),
        event=action.event,
        id=None if action.id is None else _escaped(action.id),
    )


class _Prefixes(dict[str, str]):
    """What an action's line begins with, by event.

    The names of foreign producers are without number: they are no tags, each of which would be a series of its own, and
    are not remembered here.
    """

    def __init__(self, source: LogPartition, lap: int, events: frozenset[str]) -> None:
        tags = f"lap={lap},{_tags(source)}"
        super().__init__({event: f'actions,event={event},{tags} user="' for event in events})
        self._others = f"actions,event={OTHER_EVENTS},{tags}"

    def __missing__(self, event: str) -> str:
        return f'{self._others} name="{event}",user="'


_prefixes = lru_cache(maxsize=1024)(_Prefixes)


def _run_line(run: Run) -> str:
    lap, first = divmod(run.first_line, RUN_LAP)
    return (
        f'action_runs,lap={lap},{_tags(run.source)} packed="{b64encode(run.packed).decode()}"'
        f" {_time(run.hour, first * RUN_LENGTHS + run.length, 'run')}"
    )


def _window_line(point: WindowPoint, events: frozenset[str]) -> str:
    value = point.value
    counts = "".join([f",count_{event}={count}i" for event, count in _by_known_name(value.counts, events).items()])
    numbers = f"through_offset={value.through_offset}i,unique_users={value.unique_users}i{counts}"
    state = _escaped(encode_state(value))
    return f'hourly,{_tags(point.source)} state="{state}",{numbers} {_time(point.hour, point.slot, "slot")}'


def _by_known_name(counts: Mapping[str, int], events: frozenset[str]) -> Mapping[str, int]:
    """All others under one name: each new field's name would stay in the store for as long as the hours do."""
    if counts.keys() <= events:
        return counts
    known = {event: count for event, count in counts.items() if event in events}
    return {**known, OTHER_EVENTS: sum(counts.values()) - sum(known.values())}


def _segment_line(point: SegmentPoint) -> str:
    segment = point.segment
    generation = f",generation={segment.generation}" if segment.generation else ""
    full = f",full={FULL}" if segment.full else ""
    return (
        f"hourly_users,{_tags(point.source)},part={segment.part}/{segment.parts}{generation}{full}"
        f' ids="{b64encode(segment.ids).decode()}",users="{b64encode(segment.users).decode()}"'
        f" {_time(point.hour, segment.through_offset, 'through_offset')}"
    )


def _progress_line(point: ProgressPoint) -> str:
    hour = hour_of(max(point.value.watermark, 0))
    return (
        f'progress,{_tags(point.source)} state="{_escaped(encode_state(point.value))}"'
        f" {_time(hour, point.slot, 'slot')}"
    )


def _point_line(hour: int, fields: Fields) -> str:
    values = [
        f"{name}={str(value).lower()}" if isinstance(value, bool) else f"{name}={value}i"
        for name, value in fields.items()
    ]
    return f"hours {','.join(values)} {_time(hour, WITHIN_HOUR, 'time')}"


def _manifest_line(point: ManifestPoint) -> str:
    manifest = point.manifest
    return (
        f"rebuilds,{_tags(point.source)},manifest={_name('manifest', manifest.id)}"
        f' state="{_escaped(encode_state(manifest))}" {manifest.rebuild.generation * MS}'
    )


def _bodies(lines: Iterable[str], max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
    pending: list[str] = []
    size = 0
    for line in lines:
        if len(pending) == MAX_LINES or size + len(line) > max_bytes:
            yield from _bounded("\n".join(pending).encode())
            pending, size = [], 0
        pending.append(line)
        size += len(line) + 1
    yield from _bounded("\n".join(pending).encode())


def _bounded(body: bytes) -> Iterator[bytes]:
    if len(body) > MAX_BYTES and b"\n" in body:
        for half in halves(body):
            yield from _bounded(half)
    elif body:
        yield body


def halves(body: bytes) -> tuple[bytes, bytes]:
    """`body` cut at the end of a line near its middle. Raises ValueError where it has one line only."""
    middle = len(body) // 2
    cut = body.find(b"\n", middle)
    if cut < 0:
        cut = body.rindex(b"\n")
    return body[:cut], body[cut + 1 :]


@lru_cache(maxsize=1024)
def _tags(source: LogPartition) -> str:
    return f"log={_name('log', source.log)},partition={source.partition}"


def _name(what: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise StoreConflict(
            f"{what} {name!r} is no name for a tag: only A-Z, a-z, 0-9 and _ . - need no escapes in a tag"
        )
    return name


def _time(hour: int, within: int, what: str) -> int:
    if not 0 <= within < SLOTS:
        raise StoreConflict(f"{what} {within} is no number of ns within an hour")
    return hour * MS + within


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
