"""The worker end to end on Cassandra, beside InfluxDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from bench.case import Case, Contender, Figures
from bench.cases.worker import many_filled, run_ours
from bench.running.driver import console
from bench.running.services import Services
from bench.storing.flushes import warm_up
from bench.storing.servers import CassandraServer, InfluxServer, cassandra_server
from deploy.local.artifacts.cassandra import set_up_cassandra
from deploy.local.report import Report
from stores.raw.settings import RawStorage

_WARM_UP: Final = 500
"""Flushes."""


def on_cassandra(services: Services) -> Case:
    """As many_lines, on one node of Cassandra, which only this case sets up, starts and stops."""
    artifacts = set_up_cassandra(Report(console))
    work = many_filled(services)
    cassandra = cassandra_server(artifacts, services.folder / "cassandra", 1)
    run = partial(run_ours, services, work)
    ours = partial(run, RawStorage.PACKED, server=cassandra)
    influxdb = InfluxServer(services.influxdb)
    return Case(
        "worker, on Cassandra",
        [
            Contender("Cassandra, packed", ours),
            Contender("InfluxDB, points", partial(run, RawStorage.POINTS, server=influxdb)),
            Contender("InfluxDB, packed", partial(run, RawStorage.PACKED, server=influxdb)),
        ],
        background=_warm(cassandra, ours),
    )


@contextmanager
def _warm(server: CassandraServer, run: Callable[[], Figures]) -> Iterator[None]:
    """Runs the node, once it has done what is going to be measured."""
    with server.running():
        console.print("warming up Cassandra")
        warm_up([server], _WARM_UP)
        # After small flushes alone, the first run took the node 2.5 times the CPU of the next ones.
        run()
        yield
