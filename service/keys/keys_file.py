"""The file of keys: one JSON object a line."""

from pathlib import Path

from service.keys.errors import KeysUnreadable
from service.keys.key import Key, parse_key


def read_keys(path: Path) -> tuple[Key, ...]:
    """All keys of the file; blank lines are passed over.

    Raises KeysUnreadable, naming the line: nobody shall work with half of them.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise KeysUnreadable(
            f"{path} cannot be read: {error.strerror}; `collector keys add` makes such a file"
        ) from error
    keys = tuple(_read(path, number, line) for number, line in enumerate(lines, 1) if line.strip())
    _require_distinct(path, [key.name for key in keys], "the name {}")
    digests = [digest for key in keys for digest in _digests_of(key)]
    _require_distinct(path, digests, "the SHA-256 {}")
    return keys


def _read(path: Path, number: int, line: bytes) -> Key:
    try:
        return parse_key(line)
    except ValueError as error:
        raise KeysUnreadable(f"{path}, line {number}: {error}") from error


def _digests_of(key: Key) -> list[str]:
    return [key.sha256] if key.previous is None else [key.sha256, key.previous.sha256]


def _require_distinct(path: Path, values: list[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise KeysUnreadable(f"{path}: {what.format(value)} is there twice")
        seen.add(value)
