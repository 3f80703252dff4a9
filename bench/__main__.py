"""`python -m bench`: runs the benchmarks, prints a table, writes JSON. Exit code 1 for a wrong result."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from bench import api_cases, read_cases, report, step_cases, worker_cases
from bench.case import Measured, WrongResult, measure
from bench.services import started
from deploy.local.errors import LocalError

_CASES = {
    "worker": worker_cases.many_lines,
    "worker-1": worker_cases.one_line,
    "batch": api_cases.batch,
    "singles-64": api_cases.singles_64,
    "singles-256": api_cases.singles_256,
    "read": read_cases.current_hour,
    "freshness": read_cases.freshness,
    "worker-steps": step_cases.worker_steps,
    "api-steps": step_cases.ingest_steps,
}
_console = Console(stderr=True)


def main(
    cases: Annotated[list[str] | None, typer.Argument(help=f"Which: {', '.join(_CASES)}; all if none is named")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each contender runs")] = 3,
) -> None:
    """Measures this project beside baselines, in turn, on Kafka and InfluxDB that are started for it."""
    unknown = set(cases or ()) - _CASES.keys()
    if unknown:
        raise typer.BadParameter(f"no such case: {', '.join(sorted(unknown))}")
    load_before = os.getloadavg()[0]
    results: list[Measured] = []
    try:
        with TemporaryDirectory(prefix="bench-") as folder, started(Path(folder)) as services:
            for name in cases or _CASES:
                results.append(measure(_CASES[name](services), rounds, _console.print))  # noqa: PERF401 - a failure keeps those before it
    except (WrongResult, LocalError) as error:
        _console.print(f"[red]{type(error).__name__}[/red]: {error}")
        sys.exit(1)
    finally:
        if results:
            report.show(results)
            _console.print(f"written: {report.save(results, load_before)}")


if __name__ == "__main__":
    typer.run(main)
