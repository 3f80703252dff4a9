"""A rebuild: hours of one partition that were counted again from the log, announced to the workers by the log itself.

A rebuild reads the partition through some offset, stores segments, values under a generation of its own, and a
manifest, and once the store has acknowledged them appends a record with the header `rebuild`. A worker that folds past
it takes the rebuilt hours from there, adds what the log has between the two offsets, and counts on in that generation.
So at any offset all workers agree on what was rebuilt, as on everything else.

Who may write the log may append such records, too. They have no effect: the authority is the store's.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

import msgspec

from contract.hour import END_OF_TIME_MS, HOUR_MS

REBUILD_HEADER: Final = "rebuild"
"""A record that has it carries a rebuild and no actions. The header's value is the id of the rebuild's manifest."""

REFUSALS: Final = {
    "rebuild_unknown": "a rebuild's record names a manifest that the store has for its partition",
    "rebuild_altered": "a rebuild's record says what its manifest says",
    "rebuild_superseded": "a rebuild has read the record of each one that took effect before it",
}
"""Why a rebuild's record has no effect, by code. It takes no line number: what the store says must move none."""

_Hour = Annotated[int, msgspec.Meta(ge=0, le=END_OF_TIME_MS, multiple_of=HOUR_MS)]


class Rebuild(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hours from `first` up to, not including, `end` were counted again through `through_offset`."""

    generation: Annotated[int, msgspec.Meta(gt=0)]
    """Identified by when it began, ms since the epoch."""
    first: _Hour
    end: _Hour
    through_offset: Annotated[int, msgspec.Meta(ge=0)]

    def covers(self, hour: int) -> bool:
        """Whether the hour that starts at `hour` is one of those rebuilt."""
        return self.first <= hour < self.end

    def encode(self) -> bytes:
        """The value of its record."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, value: bytes | None, offset: int) -> Self | None:
        """The rebuild in the record at `offset`; None if it holds no valid one."""
        try:
            rebuild = msgspec.json.decode(value or b"", type=cls)
        except msgspec.DecodeError:
            return None
        return rebuild if rebuild.through_offset < offset else None


class Manifest(msgspec.Struct, frozen=True):
    """What a rebuild stores before its record is appended: that it took place. Only who may write the store has it.

    It never changes, and is acknowledged before anyone can come to its record: so whoever asks the store for it there
    gets the same answer.
    """

    id: str
    """Not to be guessed: else a record could name a manifest that is still to come."""
    rebuild: Rebuild


def refusal_of(rebuild: Rebuild, manifest_id: str, manifests: Mapping[str, Rebuild], last_in_effect: int) -> str | None:
    """The code of REFUSALS for a rebuild's record that must have no effect; None where it takes effect.

    `manifests` are those of its partition, by id, as read after the record came. `last_in_effect` is the offset of the
    last record before it that took effect: a copy of an earlier record must not undo what a later rebuild put right.
    """
    if manifest_id not in manifests:
        return "rebuild_unknown"
    if manifests[manifest_id] != rebuild:
        return "rebuild_altered"
    return "rebuild_superseded" if rebuild.through_offset < last_in_effect else None
