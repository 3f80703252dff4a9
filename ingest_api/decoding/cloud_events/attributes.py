"""The attributes of a CloudEvent that an action is made of."""

from typing import Final

import msgspec


class Attributes(msgspec.Struct, frozen=True):
    """None: absent, as null is. Else whatever the sender wrote, of whatever type."""

    specversion: object = None
    id: object = None
    source: object = None
    type: object = None
    subject: object = None
    partitionkey: object = None
    time: object = None


NAMES: Final = Attributes.__struct_fields__

REPEATED: Final = "each attribute is given once"
"""The rule of the code field_repeated."""
