"""The text of a key: what its holder sends."""

import secrets
from hashlib import sha256
from typing import Final

PREFIX: Final = "uac_"
"""So that people, and scanners of source code, know one when they see it."""
_RANDOM_BYTES: Final = 32


def new_secret() -> str:
    """A key that nobody has yet: 256 random bits, in characters that need no escaping anywhere."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(secret: bytes) -> bytes:
    """What a key is known by. Since it is random in full length, no slow hash is needed to hide it."""
    return sha256(secret).digest()
