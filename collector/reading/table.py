"""Hours or days as a table with bars."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]
"""An hour or a day, as the API answers it."""

_WIDTH: Final = 30
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_CLICKS: Final = "cyan"
_IMPRESSIONS: Final = "blue"


def as_table(rows: Sequence[Row], zone: ZoneInfo, complete_through: str | None, *, final: bool) -> RenderableType:
    """The rows, and beneath them how complete they are. Hours are shown as clocks in `zone` do."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("day" if rows and "day" in rows[0] else f"hour ({zone.key})")
    for name in ("users", "clicks", "impressions", "rate"):
        table.add_column(name, justify="right")
    table.add_column(Text.assemble(("clicks", _CLICKS), " and ", ("impressions", _IMPRESSIONS)))
    most = max((row["clicks"] + row["impressions"] for row in rows), default=0)
    for row in rows:
        numbers = [f"{row[name]:,}" for name in ("unique_users", "clicks", "impressions")]
        rate = click_rate(row["clicks"], row["impressions"])
        table.add_row(_when(row, zone), *numbers, rate, _bar(row, most), style="" if row["final"] else "italic")
    return Group(table, Text(completeness(complete_through, zone, final=final), style="dim"))


def completeness(complete_through: str | None, zone: ZoneInfo, *, final: bool) -> str:
    """In words."""
    if final:
        return "final"
    if complete_through is None:
        return "how complete these numbers are is not known now"
    through = datetime.fromisoformat(complete_through).astimezone(zone)
    return f"in italics: still being counted; exact up to {through:%Y-%m-%d %H:%M:%S} {zone.key}"


def click_rate(clicks: int, impressions: int) -> str:
    """Clicks an impression; a dash where there is none."""
    return f"{clicks / impressions:.1%}" if impressions else "-"


def _when(row: Row, zone: ZoneInfo) -> str:
    if "day" in row:
        return str(row["day"])
    return datetime.fromtimestamp(row["timestamp"] / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _bar(row: Row, most: int) -> Text:
    clicks = blocks(row["clicks"], most)
    both = blocks(row["clicks"] + row["impressions"], most)
    # Behind the part of a character that clicks fill, impressions begin.
    behind = f" on {_IMPRESSIONS}" if len(both) > len(clicks) else ""
    return Text.assemble((clicks, _CLICKS + behind), (both[len(clicks) :], _IMPRESSIONS))


def blocks(number: int, most: int) -> str:
    """As long as `number` is beside `most`, to an eighth of a character."""
    whole, eighths = divmod(round(8 * _WIDTH * number / most) if most else 0, 8)
    return "█" * whole + (_EIGHTHS[eighths] if eighths else "")
