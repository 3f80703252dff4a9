"""Starting a stack: first all that could stand in the way, then the services, each waited for by a condition."""

import asyncio
import shutil
from dataclasses import replace

from deploy.gateway.pages.fetching import fetch_documents
from deploy.gateway.pages.writing import write_pages
from deploy.local.artifacts.cassandra import cassandra_installed
from deploy.local.artifacts.installed import installed
from deploy.local.errors import CannotStart
from deploy.local.report import Report
from deploy.local.secured import OPERATOR, allow_programs, make_key
from deploy.local.services.ports import is_free
from deploy.local.services.secured_kafka import SecuredKafka
from deploy.local.services.service import Service
from deploy.local.settings import LocalSettings
from deploy.local.stack.backing.preparing import create_topics, grant_access, prepare_store
from deploy.local.stack.backing.shape import Plan, require_same_shape, require_sensible
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.factory import ADMIN, ServiceFactory
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.launch import Launch
from deploy.local.stack.members import Role
from deploy.local.stack.readiness import wait_until_all_ready
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.stopping import stop_members
from stores.settings import StoreKind

_MEGABYTES = 1_000
_MEGABYTE = 1_000_000


def start_stack(folder: DataFolder, plan: Plan, report: Report, interruption: Interruption) -> None:
    """Starts all of the stack and returns when it is ready; if that fails, nothing of it is left running.

    Raises CannotStart before anything is started, ServiceFailed when a service does not come up, and Interrupted.
    """
    plan = replace(plan, secure=plan.secure or folder.is_secure)
    require_sensible(plan)
    artifacts = installed()
    folder.create()
    with folder.changing(wait=False):
        state_file = StateFile(folder.state)
        _check_that_it_can_start(folder, state_file, plan)
        launch = Launch(state_file, report, interruption)
        factory = ServiceFactory(folder, state_file, artifacts, plan.port, secure=plan.secure)
        try:
            brokers = factory.brokers(plan.brokers)
            if plan.store is StoreKind.INFLUX:
                _tell_of_tokens(folder, report)
            launch.start([*((Role.KAFKA, broker) for broker in brokers), *_stores(factory, plan)])
            report.say("Creating topics, and what the store needs")
            create_topics(brokers, LocalSettings(), interruption)
            prepare_store(factory.addresses(ADMIN), plan.store_nodes, interruption)
            if plan.store is StoreKind.INFLUX:
                grant_access(factory.addresses(ADMIN), folder)
            if isinstance(brokers[0], SecuredKafka):
                _secure(brokers[0], folder)
            launch.start(
                [
                    (Role.INGEST, factory.numbered(Role.INGEST, 1)),
                    *((Role.WORKER, factory.numbered(Role.WORKER, number + 1)) for number in range(plan.workers)),
                    (Role.AGGREGATOR, factory.numbered(Role.AGGREGATOR, 1)),
                    *_rollup(factory, plan),
                ]
            )
            write_pages(folder.pages, fetch_documents(_urls(state_file)))
            launch.start([(Role.GATEWAY, factory.gateway())])
            wait_until_all_ready(state_file.members, folder, interruption)
        except BaseException:
            stop_members(state_file, state_file.members, report)
            raise


def _secure(kafka: SecuredKafka, folder: DataFolder) -> None:
    asyncio.run(allow_programs(kafka, LocalSettings()))
    # Those of `collector audit` and the like: made while the broker can be told.
    kafka.user_environment(OPERATOR)
    make_key(folder.keys, folder.operators_key)


def _stores(factory: ServiceFactory, plan: Plan) -> list[tuple[Role, Service]]:
    if plan.store is StoreKind.CASSANDRA:
        return [(Role.CASSANDRA, node) for node in factory.cassandra(cassandra_installed(), plan.store_nodes)]
    return [(Role.INFLUXDB, factory.influxdb())]


def _rollup(factory: ServiceFactory, plan: Plan) -> list[tuple[Role, Service]]:
    """It is for those who query InfluxDB themselves."""
    return [(Role.ROLLUP, factory.numbered(Role.ROLLUP, 1))] if plan.store is StoreKind.INFLUX else []


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
    require_same_shape(folder, plan)
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
