"""What nodes need of Debian's packages."""

import os
import shutil
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.artifacts.go_toolchain import Builder
from deploy.local.report import Report
from support.engine.programs import APT

_STEP: Final = "Kubernetes' node"
_INSTALLED: Final = {"nft": "nftables"}
_UNPACKED: Final = "containernetworking-plugins"


def network_plugins() -> Path:
    """The folder where they lie, or would."""
    return _root() / "usr" / "lib" / "cni"


def get_node_packages(report: Report) -> None:
    """Gets what is not there; needs root on Debian. Raises SetupFailed."""
    missing = [package for program, package in _INSTALLED.items() if shutil.which(program) is None]
    root = _root()
    if not missing and root.is_dir():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    partial = root.with_name("root.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with only_set_up(cache_folder(), report) as lock, report.step(f"{_STEP}: Debian's packages") as step:
        builder = Builder(_STEP, {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, lock, step)
        for arguments in ("update",), ("install", *missing), ("download", _UNPACKED):
            builder.run([*APT, *arguments], root.parent)
        for package in root.parent.glob("*.deb"):
            builder.run(["dpkg", "--extract", str(package), str(partial)], root.parent)
            package.unlink()
    shutil.rmtree(root, ignore_errors=True)
    partial.rename(root)


def _root() -> Path:
    return cache_folder() / "kubernetes-node" / "root"
