"""The clock of one process, which can be set: by libfaketime, where it is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LIBRARIES: Final = "/usr/lib/*/faketime/libfaketime.so.1"
_PACKAGE: Final = "libfaketime"


def fake_time_library() -> Path | None:
    """Where it lies; None: it is not installed."""
    return next(Path("/").glob(_LIBRARIES[1:]), None)


class SteppedClock:
    """Of a process that is started with `environment`: as wrong as its file says, also while it runs."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def environment(self) -> Mapping[str, str]:
        """What the process is started with; nothing where the library is missing."""
        library = fake_time_library()
        if library is None:
            return {}
        self.step(0)
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            # Only the time of day: a step is no reason for a timeout.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """From now on it is so much before (negative) or after the machine's."""
        partial = self._file.with_suffix(".partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(f"{seconds:+d}s\n")
        partial.replace(self._file)
