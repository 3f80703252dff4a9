"""`python -m bench`: the main table."""

from typing import Annotated, Final

import typer

from bench.cases import api, api_traces, gateway, reads, recovery, spans, steps, worker, worker_stores
from bench.running.driver import Cases, run
from bench.running.services import Services, started

_CASES: Final[Cases[Services]] = {
    "worker": worker.many_lines,
    "worker-packed": worker.packed,
    "worker-off": worker.without_raw,
    "worker-cassandra": worker_stores.on_cassandra,
    "worker-1": worker.one_line,
    "worker-traces": worker.with_traces,
    "batch": api.batch,
    "singles-64": api.singles_64,
    "singles-256": api.singles_256,
    "singles-keys": api.singles_with_keys,
    "singles-traces": api_traces.singles_with_traces,
    "gateway-singles": gateway.single_posts,
    "gateway-batch": gateway.batches,
    "read": reads.current_hour,
    "freshness": reads.freshness,
    "late": reads.late,
    "month": spans.month,
    "listeners": spans.listeners,
    "users": spans.users_of_a_day,
    "restart": recovery.restart,
    "failover": recovery.failover,
    "worker-steps": steps.worker_steps,
    "api-steps": steps.ingest_steps,
}


def main(
    cases: Annotated[
        list[str] | None, typer.Argument(help=f"The cases to run: {', '.join(_CASES)}; all by default")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each contender runs")] = 3,
) -> None:
    """Measures this project beside baselines, in turn, on Kafka and InfluxDB that are started for it."""
    run(_CASES, cases, rounds, started)


if __name__ == "__main__":
    typer.run(main)
