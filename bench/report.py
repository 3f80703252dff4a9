"""The results: a table for people, JSON for programs."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.case import Measured

_RESULTS = Path(__file__).parent / "results"
_TENTHS_BELOW = 100


def table(results: Sequence[Measured]) -> Table:
    """Medians; the last column but one is ours divided by the baseline's, the last the spread of the runs."""
    drawn = Table("case", "contender", "figure", "median", "ours / this", "spread")
    for measured in results:
        case = measured.case
        for contender, figure, middle, ratio in measured.rows():
            spread = f"{measured.spread(contender, figure):.0%}"
            drawn.add_row(case, contender, figure, _text(middle), "" if ratio is None else f"{ratio:.2f}", spread)
            case = ""
        drawn.add_section()
    return drawn


def show(results: Sequence[Measured]) -> None:
    """Prints the table."""
    Console(width=None if os.isatty(1) else 140).print(table(results))


def save(results: Sequence[Measured], load_before: float) -> Path:
    """Writes everything that was measured; returns where. `load_before`: the machine's load average at the start."""
    return write("", {"load_before": load_before, "cases": list(map(_plain, results))})


def write(name: str, found: Mapping[str, Any]) -> Path:
    """Writes what was found, beside what the machine is; returns where."""
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}{name and '-'}{name}.json"
    machine = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine, **found})))
    return path


def _plain(measured: Measured) -> dict[str, Any]:
    rows = [
        {"contender": contender, "figure": figure, "median": middle, "ours_to_this": ratio}
        for contender, figure, middle, ratio in measured.rows()
    ]
    return {"case": measured.case, "medians": rows, "runs": measured.runs}


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= _TENTHS_BELOW else f"{value:.2f}"
