"""Hours or days as a table with bars."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from collector.reading.told import DayRow, HourRow, Total

Row = HourRow | DayRow | Total

WIDTH: Final = 30
"""Characters of the longest bar, where there is room."""
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_CLICKS: Final = "cyan"
_IMPRESSIONS: Final = "blue"


def as_table(rows: Sequence[Row], zone: ZoneInfo, complete_through: datetime | None, *, final: bool) -> RenderableType:
    """The rows, and beneath them how complete they are. Hours are shown as clocks in `zone` do."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_heading(rows, zone), no_wrap=True)
    for name in ("users", "clicks", "impressions", "rate"):
        table.add_column(name, justify="right", no_wrap=True)
    # One bar alone is as long as any.
    if len(rows) > 1:
        table.add_column(Text.assemble(("clicks", _CLICKS), " and ", ("impressions", _IMPRESSIONS)))
    most = max((row.clicks + row.impressions for row in rows), default=0)
    for row in rows:
        numbers = [f"{number:,}" for number in (row.unique_users, row.clicks, row.impressions)]
        rate = click_rate(row.clicks, row.impressions)
        bars = [_Bar(row, most)] if len(rows) > 1 else []
        table.add_row(_when(row, zone), *numbers, rate, *bars, style="" if row.final else "italic")
    return Group(table, Text(completeness(complete_through, zone, final=final), style="dim"))


def completeness(complete_through: datetime | None, zone: ZoneInfo, *, final: bool) -> str:
    """In words."""
    if final:
        return "final"
    if complete_through is None:
        return "how complete these numbers are is not known now"
    through = complete_through.astimezone(zone)
    return f"in italics: still being counted; exact up to {through:%Y-%m-%d %H:%M:%S} {zone.key}"


def click_rate(clicks: int, impressions: int) -> str:
    """Clicks an impression; a dash where there is none."""
    return f"{clicks / impressions:.1%}" if impressions else "-"


def _heading(rows: Sequence[Row], zone: ZoneInfo) -> str:
    match rows:
        case [DayRow(), *_]:
            return "day"
        case [Total(), *_]:
            return f"span ({zone.key})"
        case _:
            return f"hour ({zone.key})"


def _when(row: Row, zone: ZoneInfo) -> str:
    match row:
        case DayRow(day=day):
            return str(day)
        case Total(start=start, to=to):
            return f"{_clock(start, zone)} to {_clock(to, zone)}"
        case HourRow(timestamp=timestamp):
            return _clock(datetime.fromtimestamp(timestamp / 1000, UTC), zone)


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")


class _Bar:
    """As long as the terminal has room for, up to WIDTH: a bar that is cut off would lie."""

    def __init__(self, row: Row, most: int) -> None:
        self._clicks = row.clicks
        self._both = row.clicks + row.impressions
        self._most = most

    def __rich_measure__(self, _: Console, __: ConsoleOptions) -> Measurement:
        return Measurement(1, WIDTH)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        width = min(WIDTH, options.max_width)
        clicks, both = blocks(self._clicks, self._most, width), blocks(self._both, self._most, width)
        # Behind the part of a character that clicks fill, impressions begin.
        behind = f" on {_IMPRESSIONS}" if len(both) > len(clicks) else ""
        yield Text.assemble((clicks, _CLICKS + behind), (both[len(clicks) :], _IMPRESSIONS))


def blocks(number: int, most: int, width: int) -> str:
    """As long as `number` is beside `most`, which is `width`; to an eighth of a character."""
    whole, eighths = divmod(round(8 * width * number / most) if most else 0, 8)
    return "█" * whole + (_EIGHTHS[eighths] if eighths else "")
