"""What a worker knows of hours whose windows are not in memory: their committed values."""

from collections.abc import Mapping
from typing import Final

from contract.windows.window_value import WindowValue

BYTES_PER_HOUR: Final = 80
BYTES_PER_VALUE: Final = 220
BYTES_PER_COUNT: Final = 100


class KnownValues:
    """The committed values of hours that were read, or evicted; where an hour has no action yet, that is known, too.

    A partition's hours change only by what its owner folds into their windows, so what was read stays right, as it
    would in a window that was loaded and not folded into. Without it, each load of a few hours among many reads what
    lies between them once more: with one action in each of 10,000 hours, 8 rows for each that was needed.
    """

    def __init__(self) -> None:
        """Nothing is known."""
        self.size = 0
        """In bytes, about."""
        self._values: dict[int, WindowValue] = {}
        self._put_meanwhile: set[int] = set()

    def __contains__(self, hour: int) -> bool:
        return hour in self._values

    def __getitem__(self, hour: int) -> WindowValue:
        return self._values[hour]

    def put(self, hour: int, value: WindowValue) -> None:
        """The hour's window is evicted: it is written and committed."""
        self._put_meanwhile.add(hour)
        self._set(hour, value)

    def begin_reading(self) -> None:
        """What is read from now on is older than what is put from now on."""
        self._put_meanwhile.clear()

    def learn(self, read: Mapping[int, WindowValue], resident: Mapping[int, object]) -> None:
        """Takes what was read since `begin_reading`, but of hours that are in memory, or were put since."""
        for hour, value in read.items():
            if not (hour in resident or hour in self._values or hour in self._put_meanwhile):
                self._set(hour, value)

    def forget(self) -> None:
        """Nothing is known any more: it will be read again."""
        self.size = 0
        self._values = {}

    def _set(self, hour: int, value: WindowValue) -> None:
        before = self._values.get(hour)
        self.size += _size(value) - (0 if before is None else _size(before))
        self._values[hour] = value


def _size(value: WindowValue) -> int:
    if value.through_offset < 0:
        return BYTES_PER_HOUR
    return BYTES_PER_HOUR + BYTES_PER_VALUE + BYTES_PER_COUNT * len(value.counts)
