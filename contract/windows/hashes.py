"""64-bit hashes stand for users and ids: how they are made, and packed."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

Hashes = NDArray[np.uint64]

NO_HASHES: Final[Hashes] = np.empty(0, np.uint64)

_PACKED: Final = np.dtype("<u8")


def hash_of_user(user: str) -> int:
    """64 bits that stand for a user."""
    return xxh3_64_intdigest(user.encode())


def hash_of_id(user: str, action_id: str) -> int:
    """64 bits that stand for (user, id); neither can hold the separator."""
    return xxh3_64_intdigest(f"{user}\x00{action_id}".encode())


def pack_hashes(hashes: Hashes | Sequence[int]) -> bytes:
    """8 bytes each, little-endian."""
    return np.asarray(hashes, _PACKED).tobytes()


def unpack_hashes(packed: bytes) -> Hashes:
    """What `pack_hashes` packed."""
    return np.frombuffer(packed, _PACKED).astype(np.uint64, copy=False)
