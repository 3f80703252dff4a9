"""What makes an API server a cluster: controllers, the scheduler, names, and the addresses of services."""

from pathlib import Path
from typing import Final

from support.kubernetes.control_plane import Cluster
from support.kubernetes.daemons import Daemons
from support.kubernetes.programs import COREDNS, KUBERNETES

_NAMES: Final = """\
.:53 {{
    errors
    kubernetes cluster.local {{
        kubeconfig {kubeconfig}
    }}
    cache 5
}}
"""


def start_controllers(cluster: Cluster, daemons: Daemons, folder: Path) -> None:
    """All but the proxy of services."""
    of_cluster = f"--kubeconfig={cluster.kubeconfig}"
    asking = [f"--{who}-kubeconfig={cluster.kubeconfig}" for who in ("authentication", "authorization")]
    common = [of_cluster, *asking, "--leader-elect=false", "--bind-address=127.0.0.1"]
    key = f"--service-account-private-key-file={cluster.kubeconfig.parent}/accounts.key"
    daemons.start("controllers", [_program("kube-controller-manager"), *common, key])
    daemons.start("scheduler", [_program("kube-scheduler"), *common])
    config = folder / "Corefile"
    config.write_text(_NAMES.format(kubeconfig=cluster.kubeconfig))
    daemons.start("names", [COREDNS.path, "-conf", config])


def start_proxy(cluster: Cluster, daemons: Daemons) -> None:
    """Of services; all nodes share one network, so one is enough. It ends where the address of its node changes.

    So node a must be there.
    """
    connections = [f"--conntrack-{name}=0" for name in _LEFT_ALONE]
    proxy = ["--proxy-mode=nftables", "--cluster-cidr=10.251.0.0/16", "--hostname-override=a", *connections]
    daemons.start("proxy", [_program("kube-proxy"), f"--kubeconfig={cluster.kubeconfig}", *proxy])


_LEFT_ALONE: Final = ("max-per-core", "min", "tcp-timeout-established", "tcp-timeout-close-wait")
"""Settings of the machine's kernel."""


def _program(name: str) -> Path:
    return KUBERNETES.path.with_name(name)
