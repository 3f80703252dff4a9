"""Clocks that can be set while a process runs: a node's, and a worker's (`python -m support.cluster.clock`)."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from support.builds.java_compiler import compile_java

_SOURCE: Final = Path(__file__).with_name("SetClock.java")
_VARIABLE: Final = "CLOCK_FILE"
_LOOK_EVERY_SECONDS: Final = 0.1


class SetClock:
    """As wrong as its file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.step(0)

    def step(self, seconds: int) -> None:
        """From now on it is so much before (negative) or after the machine's."""
        partial = self._file.with_suffix(".partial")
        partial.write_text(str(seconds * 1000))
        partial.replace(self._file)

    def of_java(self) -> list[str]:
        """The options of a node that goes by it, if `classes_of_java` are among its own."""
        return ["-Dcassandra.clock=SetClock", f"-Dclock.file={self._file}"]

    def of_python(self) -> Mapping[str, str]:
        """The environment of a process that goes by it, if it runs this module."""
        return {_VARIABLE: str(self._file), "PYTHONPATH": str(Path(__file__).parents[2])}


def classes_of_java(jars: Path) -> Path:
    """Where the class of a node's clock lies."""
    return compile_java(_SOURCE, sorted(jars.glob("*.jar")), language="17")


def _offset_of(file: Path) -> Callable[[], float]:
    """What the file says, in seconds, looked up now and then."""
    found = [0.0]

    def look() -> None:
        while True:
            found[0] = int(file.read_text()) / 1000
            time.sleep(_LOOK_EVERY_SECONDS)

    threading.Thread(target=look, daemon=True).start()
    return lambda: found[0]


def main() -> None:
    """As `python -m stream_workers`, with another time of day; what measures durations is not touched."""
    seconds, nanoseconds = time.time, time.time_ns
    offset = _offset_of(Path(os.environ[_VARIABLE]))
    time.time = lambda: seconds() + offset()
    time.time_ns = lambda: nanoseconds() + int(offset() * 1_000_000_000)
    from stream_workers import __main__ as program  # noqa: PLC0415 - whatever it takes from `time` is set by now

    program.main()


if __name__ == "__main__":
    main()
