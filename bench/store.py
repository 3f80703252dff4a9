"""`python -m bench.store`: what a flush and a reader's questions cost on InfluxDB and on Cassandra."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from bench.case import Case
from bench.running.driver import console, run
from bench.storing import flushes, reads
from bench.storing.servers import Server, started_stores


class _Sizes(NamedTuple):
    """Of a run."""

    flushes: int
    users: int


_USERS: Final = 100

_CASES: Final[Mapping[str, Callable[[_Sizes, list[Server]], Case]]] = {
    "flush-8": lambda sizes, servers: flushes.small(servers, sizes.flushes, 8, 0),
    "flush-8-users": lambda sizes, servers: flushes.small(servers, sizes.flushes, 8, _USERS),
    "flush-64": lambda sizes, servers: flushes.small(servers, sizes.flushes, 64, 0),
    "flush-64-users": lambda sizes, servers: flushes.small(servers, sizes.flushes, 64, _USERS),
    "largest": lambda _, servers: flushes.largest(servers),
    "hour": lambda _, servers: reads.hour(servers),
    "month": lambda _, servers: reads.month(servers),
    "users": lambda sizes, servers: reads.users(servers, sizes.users),
}


def main(
    cases: Annotated[
        list[str] | None, typer.Argument(help=f"The cases to run: {', '.join(_CASES)}; all by default")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each row runs")] = 2,
    nodes: Annotated[
        list[int] | None,
        typer.Option(min=1, max=9, help="Nodes of a cluster of Cassandra; several times: several clusters"),
    ] = None,
    number: Annotated[int, typer.Option("--flushes", min=2, help="Flushes in a run")] = 100,
    warm_up: Annotated[int, typer.Option(min=2, help="Flushes that each store gets before anything is measured")] = 500,
    users: Annotated[int, typer.Option(min=1, help="Users in the window that is loaded")] = 1_000_000,
) -> None:
    """Measures each store in turn, all of them running, by the product's own flusher and readers."""
    sizes = _Sizes(number, users)
    made = {name: partial(case, sizes) for name, case in _CASES.items()}
    run(made, cases, rounds, partial(_warm_stores, nodes or [1, 3], warm_up))


@contextmanager
def _warm_stores(clusters: Sequence[int], warm_up: int, folder: Path) -> Iterator[list[Server]]:
    with started_stores(folder, clusters) as servers:
        console.print("warming up")
        flushes.warm_up(servers, warm_up)
        yield servers


if __name__ == "__main__":
    typer.run(main)
