"""A rebuild: hours of one partition that were counted again from the log, announced to the workers by the log itself.

A rebuild reads the partition through some offset, stores segments and then values under a generation of its own,
and once the store has acknowledged them appends a record with the header `rebuild`. A worker that folds past it
takes the rebuilt hours from there, adds what the log has between the two offsets, and counts on in that generation. So
at any offset all workers agree on what was rebuilt, as on everything else.
"""

from typing import Annotated, Final, Self

import msgspec

from contract.hour import END_OF_TIME_MS, HOUR_MS

REBUILD_HEADER: Final = "rebuild"
"""A record that has it carries a rebuild and no actions."""

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
