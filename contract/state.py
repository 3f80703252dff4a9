"""The `state` texts in the store: one JSON object with a version that holds a whole value."""

from typing import TypeVar

import msgspec

from contract.errors import StateUnreadable

T = TypeVar("T", bound=msgspec.Struct)

VERSION = 1


_BEGINNING = f'{{"version":{VERSION},'


class _Versioned(msgspec.Struct):
    version: int


def encode_state(value: msgspec.Struct) -> str:
    """The text that `decode_state` decodes."""
    return msgspec.json.encode({"version": VERSION, **msgspec.structs.asdict(value)}).decode()


def decode_state(text: str, kind: type[T]) -> T:
    """The value in a `state` text. Raises StateUnreadable."""
    try:
        if not text.startswith(_BEGINNING):
            _require_known(text)
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise StateUnreadable(f"state {text[:200]!r}: {error}") from error


def _require_known(text: str) -> None:
    """Raises StateUnreadable for another version. To ask every text takes as long as to decode it."""
    version = msgspec.json.decode(text, type=_Versioned).version
    if version != VERSION:
        raise StateUnreadable(f"state version {version}: this program reads version {VERSION}: {text[:200]!r}")
