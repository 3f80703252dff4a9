"""What the aggregator tells, read strictly: at the address that was given there may be another server."""

from datetime import date, datetime
from typing import Annotated, Final, TypeVar

import msgspec

from contract.errors import CollectorError
from contract.hour import END_OF_TIME_MS

Told = TypeVar("Told")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_YEARS: Final = range(1970, 2101)


class NotUnderstood(CollectorError):
    """What the aggregator told has not the form that it has."""


class _Checked(msgspec.Struct, frozen=True, kw_only=True):
    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime) and value.year not in _YEARS:
                raise ValueError(f"{name} lies before 1970 or after 2100")


class Numbers(_Checked, frozen=True, kw_only=True):
    """Of an hour, a day or a span."""

    unique_users: Count
    clicks: Count
    impressions: Count


class HourRow(Numbers, frozen=True, kw_only=True):
    """`timestamp`: the hour's start, ms since the epoch."""

    timestamp: Annotated[int, msgspec.Meta(ge=0, le=END_OF_TIME_MS)]
    final: bool


class DayRow(Numbers, frozen=True, kw_only=True):
    """A day of a time zone."""

    day: date
    final: bool


class Total(Numbers, frozen=True, kw_only=True):
    """A span from `start` up to, not including, `to`, and how complete it is."""

    start: Instant = msgspec.field(name="from")
    to: Instant
    complete_through: Instant | None
    final: bool


class Hours(_Checked, frozen=True, kw_only=True):
    """A page of hours, and how complete they are."""

    rows: list[HourRow] = msgspec.field(name="hours")
    complete_through: Instant | None
    final: bool


class Days(_Checked, frozen=True, kw_only=True):
    """Days, and how complete they are."""

    rows: list[DayRow] = msgspec.field(name="days")
    complete_through: Instant | None
    final: bool


class LiveHour(Numbers, frozen=True, kw_only=True):
    """The current hour as it moves."""

    hour: Instant
    complete_through: Instant | None
    actions_per_second: Annotated[float, msgspec.Meta(ge=0)]


class Trouble(msgspec.Struct, frozen=True):
    """Why there is nothing to tell."""

    detail: str | None = None


def understood(text: bytes | str, kind: type[Told]) -> Told:
    """What the JSON text says, which is of this kind. Raises NotUnderstood."""
    try:
        return msgspec.json.decode(text, type=kind)
    except UnicodeError as error:
        raise NotUnderstood("it is not UTF-8") from error
    except RecursionError as error:
        raise NotUnderstood("it is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise NotUnderstood(str(error)) from error
