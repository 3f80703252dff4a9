"""`collector scale`."""

from enum import StrEnum
from typing import Annotated

import typer

from collector.options import DEFAULT_DATA, DataOption, folder_of, report
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Role
from deploy.local.stack.scaling import scale_stack


class Pool(StrEnum):
    """A service that can run as several processes."""

    INGEST = "ingest"
    WORKERS = "workers"
    AGGREGATOR = "aggregator"
    ROLLUP = "rollup"


_ROLES = {
    Pool.INGEST: Role.INGEST,
    Pool.WORKERS: Role.WORKER,
    Pool.AGGREGATOR: Role.AGGREGATOR,
    Pool.ROLLUP: Role.ROLLUP,
}


def scale(
    pool: Annotated[Pool, typer.Argument(help="Which service.")],
    number: Annotated[int, typer.Argument(min=0, metavar="N", help="How many processes should run.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Scales a service to N processes: surplus ones are drained, missing and dead ones are started."""
    with Interruption() as interruption:
        scale_stack(folder_of(data), _ROLES[pool], number, report(), interruption)
