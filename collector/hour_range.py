"""The range of hours that a command works on."""

from typing import NamedTuple

import typer

from contract.errors import InvalidHour
from contract.hour import END_OF_TIME_MS, HOUR_MS, parse_hour


class HourRange(NamedTuple):
    """The hours from `first` up to, not including, `end`; each is named by its start, ms since the epoch."""

    first: int
    end: int

    def later_than(self, hour: int) -> "HourRange":
        """Its hours from `hour` on, which may be none."""
        return HourRange(max(self.first, hour), self.end)


def hour_range(first: str | None, last: str | None) -> HourRange:
    """The hours from `first` through `last`, as given on the command line; None: from the first, to the last there is.

    Raises typer.BadParameter.
    """
    try:
        hours = HourRange(
            0 if first is None else parse_hour(first), END_OF_TIME_MS if last is None else parse_hour(last) + HOUR_MS
        )
    except InvalidHour as error:
        raise typer.BadParameter(str(error)) from error
    if hours.first >= hours.end:
        raise typer.BadParameter(f"--from {first} is after --to {last}")
    return hours
