from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubernetes.control_plane import Cluster, control_plane
from support.kubernetes.controllers import start_controllers, start_proxy
from support.kubernetes.daemons import Daemons
from support.kubernetes.definitions import GATEWAY_API, KEDA
from support.kubernetes.images import archives
from support.kubernetes.isolation import NODES, is_isolated, work_folder
from support.kubernetes.node import Node
from support.kubernetes.stack import Stack, bring_up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """An API server that knows what the manifests name."""
    if not is_isolated():
        pytest.fail("these run by `make test-kubernetes`")
    with control_plane(_made(work_folder() / "control-plane")) as cluster:
        for definitions in (GATEWAY_API, KEDA):
            cluster.kubectl("create", f"--filename={definitions.path}")
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        yield cluster


@pytest.fixture(scope="session")
def stack(cluster: Cluster) -> Iterator[Stack]:
    """The page's stack on two nodes."""
    folder = work_folder()
    with Daemons(folder) as daemons:
        start_controllers(cluster, daemons, folder)
        for name in NODES:
            Node(name, folder / f"node-{name}").start(cluster, daemons, archives(name))
        start_proxy(cluster, daemons)
        yield bring_up(cluster, _made(folder / "stack"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
