"""Namespaces for a whole Kubernetes: whatever it starts, mounts or sets is gone with them."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from support.kubernetes.control_plane import ADDRESS

NODES: Final = {"a": ADDRESS, "b": "10.250.0.2"}
"""Both are this machine, at addresses of their own."""

_INSIDE: Final = "--inside-namespaces"
_VARIABLE: Final = "COLLECTOR_TESTS_KUBERNETES"
_NAMESPACES: Final = (
    "--net",
    "--mount",
    "--propagation=slave",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
_OF_MACHINE: Final = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets for the whole machine: it finds files that say so already."""
_WRITTEN_TO: Final = ("/var/log", "/var/lib/cni", "/run/netns", "/var/lib/kubelet")
_CGROUPS: Final = Path("/sys/fs/cgroup")


def is_isolated() -> bool:
    """Whether this process runs inside."""
    return _VARIABLE in os.environ


def work_folder() -> Path:
    """For what is mounted, and gone afterwards."""
    return Path(os.environ[_VARIABLE])


def run_isolated(command: list[str]) -> int:
    """Runs it inside, as root; its exit status."""
    again = [sys.executable, "-m", "support.kubernetes", _INSIDE, *command]
    with tempfile.TemporaryDirectory(prefix="kubernetes-") as folder:
        environment = os.environ | {_VARIABLE: folder}
        _make_cgroups()
        try:
            return subprocess.run(["unshare", *_NAMESPACES, *again], env=environment, check=False).returncode
        finally:
            _remove_cgroups()


def inside(arguments: list[str]) -> list[str]:
    """The command, where this process was started to run it inside; else none."""
    return arguments[1:] if arguments[:1] == [_INSIDE] else []


def run_inside(command: list[str]) -> int:
    """Makes the namespaces ready, then runs it."""
    _mount()
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "nodes", "type", "bridge")
    for address in NODES.values():
        _ip("addr", "add", f"{address}/24", "dev", "nodes")
    _ip("link", "set", "nodes", "up")
    _ip("route", "add", "default", "via", "10.250.0.254", "dev", "nodes")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    return subprocess.run(command, check=False).returncode


def cgroup_of(node: str) -> str:
    """Its node's pods are below it, in each hierarchy."""
    return f"/collector-node-{node}"


def _mount() -> None:
    values = work_folder() / "sysctls"
    values.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "sysctls", values], check=True)
    for name, value in _OF_MACHINE.items():
        file = values / name.replace("/", ".")
        file.write_text(value)
        subprocess.run(["mount", "--bind", file, f"/proc/sys/{name}"], check=True)
    for folder in _WRITTEN_TO:
        Path(folder).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "node", folder], check=True)


def _ip(*arguments: str) -> None:
    subprocess.run([shutil.which("ip") or "ip", *arguments], check=True)


def _cgroups() -> list[Path]:
    hierarchies = [_CGROUPS, *_CGROUPS.iterdir()]
    made = [hierarchy for hierarchy in hierarchies if (hierarchy / "cgroup.procs").is_file()]
    return [Path(f"{hierarchy}{cgroup_of(node)}") for hierarchy in made for node in NODES]


def _make_cgroups() -> None:
    for cgroup in _cgroups():
        cgroup.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (cgroup.parent / name).is_file():
                (cgroup / name).write_text((cgroup.parent / name).read_text())


def _remove_cgroups() -> None:
    """They outlive what was in them."""
    for cgroup in _cgroups():
        for folder, _, _ in os.walk(cgroup, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
