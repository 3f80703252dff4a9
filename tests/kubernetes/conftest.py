from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubernetes.control_plane import Cluster, control_plane
from support.kubernetes.definitions import GATEWAY_API, KEDA
from support.kubernetes.isolation import is_isolated


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An API server that knows what the manifests name."""
    if not is_isolated():
        pytest.fail("these run by `make test-kubernetes`")
    with control_plane(tmp_path_factory.mktemp("control-plane")) as cluster:
        for definitions in (GATEWAY_API, KEDA):
            cluster.kubectl("create", f"--filename={definitions.path}")
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        yield cluster
