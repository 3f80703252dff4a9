"""`collector up`."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from collector.options import DEFAULT_DATA, DEFAULT_PORT, INTERRUPTED, DataOption, folder_of, report
from deploy.local.artifacts.cassandra import set_up_cassandra
from deploy.local.errors import NoStack
from deploy.local.report import Report
from deploy.local.services.gateway import authority_in
from deploy.local.stack.backing.addresses import addresses_of
from deploy.local.stack.backing.shape import Plan
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interrupted, Interruption
from deploy.local.stack.members import Member, Role
from deploy.local.stack.starting import start_stack
from deploy.local.stack.state_file import read_state
from deploy.local.stack.stopping import stop_stack
from deploy.local.stack.watching import watch_stack
from stores.influx.access.grants import Access
from stores.settings import StoreKind

_BACKING: Final = {Role.KAFKA, Role.CASSANDRA}


def up(  # noqa: PLR0913 - one a command-line option
    data: DataOption = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway to both APIs.")] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=0, help="Stream workers in the pool.")] = 2,
    store: Annotated[
        StoreKind, typer.Option(help="Where results live. Cassandra is fetched when it is first asked for.")
    ] = StoreKind.INFLUX,
    store_nodes: Annotated[int, typer.Option(min=1, max=9, help="Nodes of the store: several with Cassandra.")] = 1,
    brokers: Annotated[int, typer.Option(min=1, max=9, help="Kafka brokers; of three, one may be lost.")] = 1,
    *,
    secure: Annotated[
        bool,
        typer.Option(
            "--secure", help="Users and ACLs in Kafka, a key for each request, TLS at the gateway. A stack stays so."
        ),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready, and leave it running.")] = False,
) -> None:
    """Starts Kafka, the store, the services and the gateway before them; Ctrl-C stops them all, draining."""
    folder, tell = folder_of(data), report()
    if store is StoreKind.CASSANDRA:
        set_up_cassandra(tell)
    with Interruption() as interruption:
        try:
            plan = Plan(port, workers, store, store_nodes, brokers, secure)
            start_stack(folder, plan, tell, interruption)
        except Interrupted:
            tell.say("Interrupted: all that was started is stopped")
            raise typer.Exit(INTERRUPTED) from None
        tell.say(_greeting(folder, int(time.time() * 1000)))
        if detach:
            tell.say(f"`collector down --data {data}` stops it")
            return
        tell.say("Ctrl-C stops it")
        _stay(folder, tell, interruption)


def _stay(folder: DataFolder, tell: Report, interruption: Interruption) -> None:
    if not watch_stack(folder, tell, interruption):
        tell.say("The stack was stopped by another command")
        return
    with suppress(NoStack):
        stop_stack(folder, tell)
    tell.say("All is stopped; the data stay")


def _backing(folder: DataFolder, members: Sequence[Member]) -> str:
    addresses = addresses_of(members, folder.influx_token(Access.READER))
    kafka = f"Kafka {addresses['kafka_bootstrap']}"
    if addresses["store"] == StoreKind.CASSANDRA:
        return f"{kafka}, Cassandra {addresses['cassandra_hosts']} port {addresses['cassandra_port']}"
    return f"{kafka}, InfluxDB {addresses['influx_url']}"


def _greeting(folder: DataFolder, now: int) -> str:
    members = read_state(folder.state).members
    gateway = next(member.url for member in members if member.role is Role.GATEWAY)
    curl = "curl"
    if folder.is_secure:
        curl += f' --cacert {authority_in(folder.gateway)} -H "X-API-Key: $(cat {folder.operators_key})"'
    hour = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H")
    ours = [member for member in members if member.number and member.role not in _BACKING]
    services = ", ".join(f"{member.name} {member.port}" for member in ours)
    return f"""
Ready: {gateway} shows the numbers in a browser, {gateway}/docs all that can be asked
  {_backing(folder, members)}
  ports of the services themselves (/metrics and the like): {services}
  data and logs: {folder.path}
Try:
  {curl} -i -X POST '{gateway}/analytics?timestamp={now}&user=alice&event=click'
  {curl} '{gateway}/analytics?timestamp={now}'
  {curl} {gateway}/v1/hours/{hour}
"""
