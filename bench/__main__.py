"""`python -m bench`: the main table."""

from typing import Annotated, Final

import typer

from bench import api_cases, gateway_cases, read_cases, recovery_cases, step_cases, worker_cases
from bench.driver import Cases, run

_CASES: Final[Cases] = {
    "worker": worker_cases.many_lines,
    "worker-1": worker_cases.one_line,
    "batch": api_cases.batch,
    "singles-64": api_cases.singles_64,
    "singles-256": api_cases.singles_256,
    "gateway-singles": gateway_cases.single_posts,
    "gateway-batch": gateway_cases.batches,
    "read": read_cases.current_hour,
    "freshness": read_cases.freshness,
    "restart": recovery_cases.restart,
    "failover": recovery_cases.failover,
    "worker-steps": step_cases.worker_steps,
    "api-steps": step_cases.ingest_steps,
}


def main(
    cases: Annotated[
        list[str] | None, typer.Argument(help=f"The cases to run: {', '.join(_CASES)}; all by default")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each contender runs")] = 3,
) -> None:
    """Measures this project beside baselines, in turn, on Kafka and InfluxDB that are started for it."""
    run(_CASES, cases, rounds)


if __name__ == "__main__":
    typer.run(main)
