"""What is stored of one hour of one partition."""

import msgspec


class WindowValue(msgspec.Struct, frozen=True):
    """What the log up to `through_offset` gives for one hour of one partition: a pure function of these.

    `generation` and `full_through` only tell where its users and ids are kept.
    """

    through_offset: int = -1
    counts: dict[str, int] = {}
    """Counted actions by event."""
    duplicates: int = 0
    """Lines whose (user, id) had been counted in this hour before."""
    unique_users: int = 0
    fewest_partitions: int = 0
    """Fewest partitions that a record's header named; 0: some record had no header."""
    most_partitions: int = 0
    generation: int = 0
    """Names the rebuild that the value descends from; 0: none. Only segments of the same one belong to it."""
    full_through: int = -1
    """The full segment up to here holds all that came before it; -1: there is none."""
