"""A node: containerd, and a kubelet that runs real pods in it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.engine.daemon import environment
from support.kubernetes.control_plane import Cluster
from support.kubernetes.daemons import Daemons
from support.kubernetes.images import PAUSE_IMAGE
from support.kubernetes.isolation import NODES, cgroup_of
from support.kubernetes.node_packages import network_plugins
from support.kubernetes.programs import KUBERNETES

_PODS: Final = "10.251.{}.0/24"


@dataclass(frozen=True, slots=True)
class Node:
    """One of `NODES`; its data lie in a folder of its own."""

    name: str
    folder: Path

    @property
    def address(self) -> str:
        """Of this node's kubelet."""
        return NODES[self.name]

    def start(self, cluster: Cluster, daemons: Daemons, images: list[Path]) -> None:
        """Returns once it may be given pods, with these images."""
        for name in ("networks", "containerd", "kubelet"):
            (self.folder / name).mkdir(parents=True)
        self._start_containerd(daemons)
        for image in images:
            self._ctr(daemons, "import", image)
        self._start_kubelet(cluster, daemons)

    def _start_containerd(self, daemons: Daemons) -> None:
        (self.folder / "networks" / "pods.conflist").write_text(json.dumps(self._network()))
        config = self.folder / "containerd.toml"
        config.write_text(self._containerd())
        name = f"containerd-{self.name}"
        daemons.start(name, ["containerd", "--config", config], environment())
        daemons.wait_until(name, self._socket.is_socket)

    def _ctr(self, daemons: Daemons, *arguments: str | Path) -> None:
        command = ["ctr", "--address", self._socket, "--namespace=k8s.io", "images", *arguments]
        daemons.run("ctr", command, environment())

    def _start_kubelet(self, cluster: Cluster, daemons: Daemons) -> None:
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps(self._kubelet()))
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        name = f"kubelet-{self.name}"
        daemons.start(
            name,
            [
                KUBERNETES.path.with_name("kubelet"),
                f"--config={config}",
                f"--kubeconfig={cluster.kubeconfig}",
                f"--root-dir={self.folder}/kubelet",
                f"--cert-dir={self.folder}/certificates",
                f"--hostname-override={self.name}",
                f"--node-ip={self.address}",
            ],
            environment(),
        )
        daemons.wait_until(name, lambda: _is_ready(cluster, self.name))

    @property
    def _socket(self) -> Path:
        return self.folder / "containerd.sock"

    def _network(self) -> dict[str, object]:
        """A pair of interfaces for each pod: what it sends to its node's other pods passes the node, too."""
        ranges = [[{"subnet": _PODS.format(list(NODES).index(self.name))}]]
        routes = [{"dst": "0.0.0.0/0"}]
        addresses = {"type": "host-local", "dataDir": f"{self.folder}/addresses", "ranges": ranges, "routes": routes}
        return {"cniVersion": "1.0.0", "name": f"pods-{self.name}", "plugins": [{"type": "ptp", "ipam": addresses}]}

    def _containerd(self) -> str:
        cri = 'plugins."io.containerd.grpc.v1.cri"'
        return f"""\
version = 2
root = "{self.folder}/containerd/root"
state = "{self.folder}/containerd/state"
[grpc]
address = "{self._socket}"
[{cri}]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
[{cri}.cni]
bin_dir = "{network_plugins()}"
conf_dir = "{self.folder}/networks"
"""

    def _kubelet(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self._socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": cgroup_of(self.name),
            "failCgroupV1": False,
            "failSwapOn": False,
            "address": self.address,
            "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "clusterDNS": [NODES["a"]],
            "clusterDomain": "cluster.local",
            "resolvConf": f"{self.folder}/resolv.conf",
            "podLogsDir": f"{self.folder}/logs",
            "volumePluginDir": f"{self.folder}/plugins",
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
        }


def _is_ready(cluster: Cluster, name: str) -> bool:
    answer = cluster.answer("get", "node", name, "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}")
    return answer.stdout == "True"
