"""A small disk that can be filled up: a tmpfs, which only root may mount."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_CHUNK = bytes(64 * 1024)


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path, megabytes: int) -> Iterator[Self]:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True)
        try:
            yield cls(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

    def fill(self) -> None:
        """Leaves no free byte; what others free in the meantime they may use again."""
        with self._filler.open("ab", buffering=0) as file:
            size = len(_CHUNK)
            while size:
                try:
                    file.write(_CHUNK[:size])
                except OSError:
                    size //= 2

    def free(self) -> None:
        self._filler.unlink()
