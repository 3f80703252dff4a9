"""A token in a file that only its owner may read."""

import os
from pathlib import Path


def token_in(file: Path) -> str | None:
    """The token, without what surrounds it; None where there is no such file, or nothing in it."""
    try:
        return file.read_text().strip() or None
    except FileNotFoundError:
        return None


def write_token(file: Path, token: str) -> None:
    """Writes it whole or not at all; a folder that has to be made is for its owner alone, too."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as opened:  # noqa: PTH123 - a descriptor, that was made with its rights
        opened.write(f"{token}\n")
        opened.flush()
        os.fsync(descriptor)
    partial.replace(file)
