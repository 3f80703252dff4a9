"""The collector on a cluster, as the page of deploy/kubernetes brings it up."""

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from support.kubernetes.control_plane import Cluster

NAMESPACE: Final = "collector"

_PROJECT: Final = Path(__file__).parents[3]
_LINES: Final = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VOLUMES: Final = ("kafka", "influxdb")
_USER_OF_STORES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Stack:
    """Its services, by the addresses that the cluster gives them."""

    cluster: Cluster
    key: str
    ingest: str
    aggregator: str

    def kubectl(self, *arguments: str) -> str:
        """What it says about the stack's own namespace; it must succeed."""
        return self.cluster.kubectl(f"--namespace={NAMESPACE}", *arguments)

    def pods(self, service: str) -> list[dict[str, Any]]:
        """Those that were not told to stop."""
        selector = f"--selector=app.kubernetes.io/name={service}"
        listed = json.loads(self.kubectl("get", "pods", selector, "--output=json"))["items"]
        return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]

    def restarts(self) -> dict[str, int]:
        """How often containers of each pod started again, where one did."""
        pods = json.loads(self.kubectl("get", "pods", "--output=json"))["items"]
        states = {pod["metadata"]["name"]: pod["status"].get("containerStatuses", []) for pod in pods}
        counts = {name: sum(state["restartCount"] for state in found) for name, found in states.items()}
        return {name: count for name, count in counts.items() if count}

    def settled(self, *services: str) -> None:
        """Returns once each has all its pods, ready."""
        for service in services:
            self.kubectl("rollout", "status", "deployment", service, "--timeout=5m")

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """With the key; each request has a connection of its own, so that no pod is out of the running."""
        with httpx.Client(
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=60,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as client:
            yield client


def bring_up(cluster: Cluster, folder: Path) -> Stack:
    """Runs the page's lines in a folder of its own."""
    _make_volumes(cluster, folder)
    (folder / "deploy").symlink_to(_PROJECT / "deploy")
    programs = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    (lines,) = _LINES.findall((_PROJECT / "deploy" / "kubernetes" / "README.md").read_text())
    environment = os.environ | {"PATH": programs, "KUBECONFIG": str(cluster.kubeconfig)}
    ran = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", lines],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.returncode, "\n".join([ran.stdout, ran.stderr, *_evidence(cluster)])
    addresses = {name: _address(cluster, name) for name in ("ingest", "aggregator")}
    return Stack(cluster, (folder / "me.key").read_text().strip(), **addresses)


def _address(cluster: Cluster, service: str) -> str:
    spec = cluster.read(f"--namespace={NAMESPACE}", "service", service)["spec"]
    return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def _make_volumes(cluster: Cluster, folder: Path) -> None:
    """In place of a StorageClass. They are node a's: what stores are there stay there."""
    for name in _VOLUMES:
        path = folder / name
        path.mkdir()
        os.chown(path, _USER_OF_STORES, _USER_OF_STORES)
        only_there = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "local": {"path": str(path)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [only_there]}]}},
            },
        }
        cluster.kubectl("create", "--filename=-", stdin=json.dumps(volume))


def _evidence(cluster: Cluster) -> Iterable[str]:
    for arguments in (
        ["get", "pods", "--output=wide"],
        ["get", "events", "--sort-by=.lastTimestamp"],
        ["logs", "--selector=app.kubernetes.io/part-of=user-actions-collector", "--tail=5", "--prefix"],
    ):
        yield cluster.answer(f"--namespace={NAMESPACE}", *arguments).stdout[-6_000:]
