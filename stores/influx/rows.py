"""Values out of an answer's series."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator

from contract.errors import StateUnreadable
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest
from contract.state import decode_state
from contract.store import SLOTS, BlockVersion, StoredAction, WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.influx.response import Series
from stores.influx.schema import MS
from stores.raw.packing import unpack


def windows_in(series: Iterable[Series]) -> Iterator[WindowPoint]:
    """Each row's window. Raises StateUnreadable."""
    for one in series:
        source = source_of(one)
        for time, state in one.values:
            hour, slot = divmod(time, SLOTS)
            yield WindowPoint(source, hour * HOUR_MS, slot, decode_state(state, WindowValue))


def block_versions_in(series: Iterable[Series]) -> Iterator[tuple[int, BlockVersion]]:
    """Each row's block, by its start in ms, and its version."""
    for one in series:
        for time, values, offsets in one.values:
            yield time // MS, BlockVersion(values, offsets)


def progress_in(series: Iterable[Series]) -> Iterator[tuple[LogPartition, Progress]]:
    """Each row's progress. Raises StateUnreadable."""
    for one in series:
        source = source_of(one)
        for _, state in one.values:
            yield source, decode_state(state, Progress)


def manifests_in(series: Iterable[Series]) -> Iterator[Manifest]:
    """Each row's manifest. Raises StateUnreadable."""
    for one in series:
        for _, state in one.values:
            yield decode_state(state, Manifest)


def segments_in(series: Iterable[Series], hour: int) -> Iterator[Segment]:
    """Each row's part of a segment. Raises StateUnreadable."""
    for one in series:
        part, parts = _part_of(one)
        generation, full = int(one.tags.get("generation") or 0), bool(one.tags.get("full"))
        for time, users, ids in one.values:
            yield Segment(time - hour * MS, _hashes(users), _hashes(ids), part, parts, generation, full)


def small_segments_in(series: Iterable[Series]) -> Iterator[tuple[int, Segment]]:
    """Each row's hour, and its segment of one part. Raises StateUnreadable."""
    for one in series:
        for time, users, ids in one.values:
            hour, through_offset = divmod(time, SLOTS)
            yield hour * HOUR_MS, Segment(through_offset, _hashes(users), _hashes(ids))


def actions_in(series: Iterable[Series]) -> Iterator[StoredAction]:
    """Each row's action. Raises StateUnreadable."""
    for one in series:
        lap = _lap_of(one)
        for time, user, action_id, name, event in one.values:
            timestamp, number = divmod(time, MS)
            yield StoredAction(lap * MS + number, Action(timestamp, user, name or event, action_id))


def runs_in(series: Iterable[Series]) -> Iterator[list[StoredAction]]:
    """Each row's actions. Raises StateUnreadable."""
    for one in series:
        for _, packed in one.values:
            yield unpack(_decoded(packed))


def source_of(series: Series) -> LogPartition:
    """The source that the series' tags name. Raises StateUnreadable."""
    try:
        return LogPartition(series.tags["log"], int(series.tags["partition"]))
    except (KeyError, ValueError) as error:
        raise StateUnreadable(f"tags {series.tags}: no log and partition") from error


def _part_of(series: Series) -> tuple[int, int]:
    try:
        part, parts = series.tags["part"].split("/")
        return int(part), int(parts)
    except (KeyError, ValueError) as error:
        raise StateUnreadable(f"tags {series.tags}: no part/parts") from error


def _lap_of(series: Series) -> int:
    try:
        return int(series.tags["lap"])
    except (KeyError, ValueError) as error:
        raise StateUnreadable(f"tags {series.tags}: no lap") from error


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64 as error:
        raise StateUnreadable(f"base64 {text[:64]!r}: {error}") from error


def _hashes(text: str | None) -> bytes:
    """A field that was never written is null: no hashes."""
    packed = _decoded(text or "")
    if len(packed) % 8:
        raise StateUnreadable(f"hashes of {len(packed)} bytes: no multiple of 8")
    return packed
