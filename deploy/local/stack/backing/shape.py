"""What shall run, and whether that goes together with what a data folder holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import CannotStart
from deploy.local.stack.data_folder import DataFolder
from stores.settings import StoreKind


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall run."""

    port: int
    workers: int
    store: StoreKind = StoreKind.INFLUX
    store_nodes: int = 1
    brokers: int = 1
    secure: bool = False
    """Whether Kafka asks for users, requests need keys, and the gateway speaks TLS. Once so, a stack stays so."""


def require_same_shape(folder: DataFolder, plan: Plan) -> None:
    """Data of one broker, or node, are none of three: raises CannotStart where the folder holds another number."""
    wanted = [("brokers", folder.kafka, plan.brokers)]
    if plan.store is StoreKind.CASSANDRA:
        wanted.append(("nodes of Cassandra", folder.cassandra, plan.store_nodes))
    for what, path, number in wanted:
        found = _nodes_in(path)
        if found not in (0, number):
            raise CannotStart(
                f"{path} holds the data of another number of {what} ({found}, not {number}): ask for {found}, or "
                "choose another folder by --data"
            )


def require_sensible(plan: Plan) -> None:
    """Raises CannotStart for what could not work."""
    if plan.store is not StoreKind.CASSANDRA and plan.store_nodes > 1:
        raise CannotStart("InfluxDB 1.8 has one node: several need --store cassandra")
    if plan.secure and (plan.store is StoreKind.CASSANDRA or plan.brokers > 1):
        raise CannotStart("--secure is for one broker and InfluxDB: others would still let everybody in")


def _nodes_in(path: Path) -> int:
    """How many nodes have data there: one by itself, or several in folders of their own; 0: none yet."""
    several = len(list(_folders_of_nodes(path)))
    return several or int((path / "data").is_dir())


def _folders_of_nodes(path: Path) -> Iterator[Path]:
    return path.glob("node-*/data")
