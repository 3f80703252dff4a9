"""Writing a file of keys: at once, whole or not at all, and by one command at a time."""

import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from service.keys.key import Key, key_line
from service.keys.keys_file import read_keys

_OWN: Final = 0o600
"""Only its owner reads and writes it."""


def rewrite(path: Path, change: Callable[[Sequence[Key]], Iterable[Key]], *, create: bool = False) -> None:
    """Replaces the keys by what `change` makes of them; with `create`, a file that is missing has none.

    The file keeps its owner and its permissions. Raises KeysUnreadable, what `change` raises, and OSError.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        before = () if create and not path.exists() else read_keys(path)
        _replace(path, b"".join(key_line(key) + b"\n" for key in change(before)))
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(path: Path, content: bytes) -> None:
    # A link stays one: what it leads to is replaced.
    path = path.resolve()
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN)
    try:
        if path.exists():
            status = path.stat()
            os.fchown(file, status.st_uid, status.st_gid)
            os.fchmod(file, status.st_mode & 0o777)
        with os.fdopen(file, "wb", closefd=False) as stream:
            stream.write(content)
        os.fsync(file)
    finally:
        os.close(file)
    partial.replace(path)
