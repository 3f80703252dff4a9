"""Runs cases in turn on services that are started for them; prints a table, writes JSON."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import typer
from rich.console import Console

from bench import report
from bench.case import Case, Measured, WrongResult, measure
from deploy.local.errors import LocalError

S = TypeVar("S")
"""The services that cases run on."""
Cases = Mapping[str, Callable[[S], Case]]
"""By name; each is prepared only when its turn has come."""
Check = Callable[[Case, Measured], None]
"""Raises WrongResult for what is measured, and not as it must be."""

console = Console(stderr=True)


def run(
    cases: Cases[S],
    chosen: Sequence[str] | None,
    rounds: int,
    start: Callable[[Path], AbstractContextManager[S]],
    check: Check = lambda _case, _measured: None,
) -> None:
    """Runs all or the chosen cases. Exit code 1 for a wrong result; earlier results are still printed and written."""
    if unknown := set(chosen or ()) - cases.keys():
        raise typer.BadParameter(f"no such case: {', '.join(sorted(unknown))}")
    load_before = os.getloadavg()[0]
    results: list[Measured] = []
    try:
        with TemporaryDirectory(prefix="bench-") as folder, start(Path(folder)) as services:
            for name in chosen or cases:
                case = cases[name](services)
                results.append(measure(case, rounds, console.print))
                check(case, results[-1])
    except (WrongResult, LocalError) as error:
        console.print(f"[red]{type(error).__name__}[/red]: {error}")
        sys.exit(1)
    finally:
        if results:
            report.show(results)
            console.print(f"written: {report.save(results, load_before)}")
