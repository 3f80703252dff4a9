"""What `collector top` shows."""

from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from collector.reading.live import Seen
from collector.reading.table import click_rate
from collector.reading.told import LiveHour

_OLD: Final = 3.0
"""Seconds after which what is shown is no longer the present."""


def as_screen(seen: Seen, now: float, wall_clock: datetime) -> RenderableType:
    """What is known at the instant `now` of the clock that stamped it, and at `wall_clock`."""
    age = now - seen.told_at
    lines: list[RenderableType] = []
    if seen.hour is not None:
        lines += [_numbers(seen.hour, stale=age > _OLD), Text(_completeness(seen.hour, wall_clock))]
    if seen.trouble is not None or age > _OLD:
        lines.append(Text(_trouble(seen, age), style="bold red"))
    return Group(*lines, Text("q ends", style="dim"))


def _numbers(hour: LiveHour, *, stale: bool) -> Table:
    begin = hour.hour.astimezone(UTC)
    table = Table(title=f"{begin:%Y-%m-%d %H:%M} UTC", title_justify="left", box=None, pad_edge=False, expand=False)
    style = "dim" if stale else "bold"
    told = {
        "unique users": f"{hour.unique_users:,}",
        "clicks": f"{hour.clicks:,}",
        "impressions": f"{hour.impressions:,}",
        "click rate": click_rate(hour.clicks, hour.impressions),
        "actions/s": f"{hour.actions_per_second:,.1f}",
    }
    for name in told:
        table.add_column(name, justify="right", style=style, min_width=12)
    table.add_row(*told.values())
    return table


def _completeness(hour: LiveHour, wall_clock: datetime) -> str:
    through = hour.complete_through
    if through is None:
        return "how complete this is is not known now"
    behind = max(0, round((wall_clock - through).total_seconds()))
    return f"exact up to {through.astimezone(UTC):%H:%M:%S} UTC, {behind} s behind"


def _trouble(seen: Seen, age: float) -> str:
    trouble = seen.trouble or "nothing was told since"
    return trouble if seen.hour is None else f"{trouble}; this is what was known {round(age)} s ago"
