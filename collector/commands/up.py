"""`collector up`."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer

from collector.options import DEFAULT_DATA, DEFAULT_PORT, INTERRUPTED, DataOption, folder_of, report
from deploy.local.errors import NoStack
from deploy.local.report import Report
from deploy.local.services.gateway import authority_in
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interrupted, Interruption
from deploy.local.stack.members import Role
from deploy.local.stack.starting import Plan, start_stack
from deploy.local.stack.state_file import read_state
from deploy.local.stack.stopping import stop_stack
from deploy.local.stack.watching import watch_stack


def up(
    data: DataOption = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway to both APIs.")] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=0, help="Stream workers in the pool.")] = 2,
    *,
    secure: Annotated[
        bool,
        typer.Option(
            "--secure", help="Users and ACLs in Kafka, a key for each request, TLS at the gateway. A stack stays so."
        ),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready, and leave it running.")] = False,
) -> None:
    """Starts Kafka, InfluxDB, the services and the gateway before them; Ctrl-C stops them all, draining."""
    folder, tell = folder_of(data), report()
    with Interruption() as interruption:
        try:
            start_stack(folder, Plan(port, workers, secure), tell, interruption)
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


def _greeting(folder: DataFolder, now: int) -> str:
    members = read_state(folder.state).members
    ports = {member.role: member.port for member in members}
    gateway = next(member.url for member in members if member.role is Role.GATEWAY)
    curl = "curl"
    if folder.is_secure:
        curl += f' --cacert {authority_in(folder.gateway)} -H "X-API-Key: $(cat {folder.operators_key})"'
    hour = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H")
    services = ", ".join(f"{member.name} {member.port}" for member in members if member.number)
    return f"""
Ready: {gateway} shows the numbers in a browser, {gateway}/docs all that can be asked
  Kafka 127.0.0.1:{ports[Role.KAFKA]}, InfluxDB http://127.0.0.1:{ports[Role.INFLUXDB]}
  ports of the services themselves (/metrics and the like): {services}
  data and logs: {folder.path}
Try:
  {curl} -i -X POST '{gateway}/analytics?timestamp={now}&user=alice&event=click'
  {curl} '{gateway}/analytics?timestamp={now}'
  {curl} {gateway}/v1/hours/{hour}
"""
