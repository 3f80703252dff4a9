from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import CannotStart
from deploy.local.stack.backing.shape import Plan, require_same_shape, require_sensible
from deploy.local.stack.data_folder import DataFolder
from stores.settings import StoreKind

ONE = Plan(port=1, workers=1)
THREE = Plan(port=1, workers=1, store=StoreKind.CASSANDRA, store_nodes=3, brokers=3)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def put_nodes(path: Path, number: int) -> None:
    for node in range(1, number + 1):
        (path / f"node-{node}" / "data").mkdir(parents=True)


@pytest.mark.parametrize("plan", [ONE, THREE])
def test_an_empty_folder_takes_any_number(folder: DataFolder, plan: Plan) -> None:
    require_same_shape(folder, plan)


def test_a_folder_is_started_again_as_it_was(folder: DataFolder) -> None:
    put_nodes(folder.kafka, 3)
    put_nodes(folder.cassandra, 3)
    require_same_shape(folder, THREE)


def test_the_data_of_one_broker_are_none_of_three_and_the_other_way_round(folder: DataFolder) -> None:
    (folder.kafka / "data").mkdir(parents=True)
    require_same_shape(folder, ONE)
    with pytest.raises(
        CannotStart, match=r"another number of brokers \(1, not 3\): ask for 1, or choose another folder"
    ):
        require_same_shape(folder, THREE)


def test_a_node_of_cassandra_more_or_less_is_refused(folder: DataFolder) -> None:
    put_nodes(folder.kafka, 3)
    put_nodes(folder.cassandra, 1)
    with pytest.raises(CannotStart, match=r"another number of nodes of Cassandra \(1, not 3\)"):
        require_same_shape(folder, THREE)


@pytest.mark.parametrize("plan", [replace(ONE, store=StoreKind.CASSANDRA), replace(ONE, brokers=3)])
def test_what_would_let_everybody_in_is_not_called_secure(plan: Plan) -> None:
    require_sensible(replace(ONE, secure=True))
    with pytest.raises(CannotStart, match="--secure is for one broker and InfluxDB"):
        require_sensible(replace(plan, secure=True))


def test_influxdb_has_one_node() -> None:
    require_sensible(ONE)
    require_sensible(THREE)
    with pytest.raises(CannotStart, match="--store cassandra"):
        require_sensible(Plan(port=1, workers=1, store_nodes=2))
