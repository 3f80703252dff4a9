"""Starting a stack: first all that could stand in the way, then the services, each waited for by a condition."""

import asyncio
import shutil
from dataclasses import dataclass

from pydantic import HttpUrl

from deploy.gateway.pages.fetching import fetch_documents
from deploy.gateway.pages.writing import write_pages
from deploy.local.artifacts.installed import installed
from deploy.local.errors import CannotStart
from deploy.local.report import Report
from deploy.local.secured import OPERATOR, allow_programs, make_key
from deploy.local.services.influxdb import LOCAL_ORG, InfluxDB
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import is_free
from deploy.local.services.secured_kafka import SecuredKafka
from deploy.local.settings import LocalSettings
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.factory import ADMIN, ServiceFactory
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.launch import Launch
from deploy.local.stack.members import Role
from deploy.local.stack.readiness import wait_until_all_ready
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.stopping import stop_members
from stores.influx.access.grants import Access, grant
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets

_MEGABYTES = 1_000
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall run."""

    port: int
    workers: int
    secure: bool = False
    """Whether Kafka asks for users, requests need keys, and the gateway speaks TLS. Once so, a stack stays so."""


def start_stack(folder: DataFolder, plan: Plan, report: Report, interruption: Interruption) -> None:
    """Starts all of the stack and returns when it is ready; if that fails, nothing of it is left running.

    Raises CannotStart before anything is started, ServiceFailed when a service does not come up, and Interrupted.
    """
    artifacts = installed()
    settings = LocalSettings()
    folder.create()
    with folder.changing(wait=False):
        state_file = StateFile(folder.state)
        _check_that_it_can_start(folder, state_file, plan)
        launch = Launch(state_file, report, interruption)
        secure = plan.secure or folder.is_secure
        factory = ServiceFactory(folder, state_file, artifacts, plan.port, secure=secure)
        try:
            kafka, influxdb = factory.kafka(), factory.influxdb()
            _tell_of_tokens(folder, report)
            launch.start([(Role.KAFKA, kafka), (Role.INFLUXDB, influxdb)])
            report.say("Creating topics and buckets")
            _create_topics(kafka, settings)
            asyncio.run(_prepare_store(influxdb, folder))
            if isinstance(kafka, SecuredKafka):
                asyncio.run(allow_programs(kafka, settings))
                # Those of `collector audit` and the like: made while the broker can be told.
                kafka.user_environment(OPERATOR)
                make_key(folder.keys, folder.operators_key)
            launch.start(
                [
                    (Role.INGEST, factory.numbered(Role.INGEST, 1)),
                    *((Role.WORKER, factory.numbered(Role.WORKER, number + 1)) for number in range(plan.workers)),
                    (Role.AGGREGATOR, factory.numbered(Role.AGGREGATOR, 1)),
                    (Role.ROLLUP, factory.numbered(Role.ROLLUP, 1)),
                ]
            )
            write_pages(folder.pages, fetch_documents(_urls(state_file)))
            launch.start([(Role.GATEWAY, factory.gateway())])
            wait_until_all_ready(state_file.members, folder, interruption)
        except BaseException:
            stop_members(state_file, state_file.members, report)
            raise


def _check_that_it_can_start(folder: DataFolder, state_file: StateFile, plan: Plan) -> None:
    alive = [f"{member.name} (pid {member.pid})" for member in state_file.members if member.process.is_alive()]
    if alive:
        raise CannotStart(
            f"a stack runs in {folder.path} already: {', '.join(alive)}. Stop it by `collector down`, or choose "
            "another folder by --data and another port by --port"
        )
    state_file.remove([member.name for member in state_file.members])
    if plan.secure and not folder.is_secure and folder.kafka.is_dir():
        raise CannotStart(
            f"the stack in {folder.path} was made without --secure, and its Kafka stays as it is: choose another "
            "folder by --data"
        )
    if not is_free(plan.port):
        raise CannotStart(f"port {plan.port} is in use: choose another by --port, or stop who listens there")
    free = shutil.disk_usage(folder.path).free // _MEGABYTE
    if free < _MEGABYTES:
        raise CannotStart(
            f"{folder.path} has {free} MB of free disk, {_MEGABYTES} MB are needed: free some, or choose --data"
        )


def _urls(state_file: StateFile) -> dict[str, str]:
    return {role: f"http://127.0.0.1:{state_file.port_of(role)}" for role in (Role.INGEST, Role.AGGREGATOR)}


def _tell_of_tokens(folder: DataFolder, report: Report) -> None:
    admin = folder.influx_token(ADMIN)
    if folder.influxdb.is_dir() and not admin.exists():
        report.say(f"InfluxDB asked for no token so far; now it does: they are in {admin.parent}, the data stay")


async def _prepare_store(influxdb: InfluxDB, folder: DataFolder) -> None:
    """What can be chosen comes from the environment; where the store is, and who may use it, the stack decides."""
    settings = InfluxSettings(
        influx_url=HttpUrl(influxdb.url), influx_token_file=folder.influx_token(ADMIN), influx_org=LOCAL_ORG
    )
    await create_buckets(settings)
    for access in Access:
        await grant(settings, access, folder.influx_token(access))


def _create_topics(kafka: Kafka, settings: LocalSettings) -> None:
    retention = {"retention.ms": str(int(settings.local_log_retention.total_seconds() * 1000))}
    present = kafka.topics()
    for name, partitions in ((settings.topic, settings.local_partitions), (settings.rejected_topic, 1)):
        if name not in present:
            kafka.create_topic(name, partitions, retention)
