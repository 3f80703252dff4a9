"""`python -m bench.scale`: the rows of how cost grows."""

from typing import Annotated

import typer

from bench.case import Case, Measured, require_at_most_linear
from bench.cases.scale import SCALE_CASES
from bench.running.driver import run
from bench.running.services import started


def main(
    cases: Annotated[
        list[str] | None, typer.Argument(help=f"The cases to run: {', '.join(SCALE_CASES)}; all by default")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each row runs")] = 1,
) -> None:
    """Measures the worker along one dimension after another. Exit code 1 where cost grows faster than the size."""
    run(SCALE_CASES, cases, rounds, started, _check)


def _check(case: Case, measured: Measured) -> None:
    require_at_most_linear(case, measured, "CPU s")


if __name__ == "__main__":
    typer.run(main)
