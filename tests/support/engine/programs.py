"""The engine's programs: Debian's packages, of which those that would start a daemon are unpacked, not installed."""

import os
import shutil
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import cache_folder, need_disk
from deploy.local.artifacts.go_toolchain import Builder
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

STEP: Final = "Docker engine"

_INSTALLED: Final = {"debootstrap": "debootstrap", "ip": "iproute2", "iptables": "iptables", "runc": "runc"}
"""By the program that shows that a package is there."""
_UNPACKED: Final = ("containerd", "docker.io")
_MEGABYTES: Final = 4_000
"""With the images."""


def engine_folder() -> Path:
    """Where programs, images and the engine's data lie, or would."""
    return cache_folder() / "docker-engine"


def search_path() -> str:
    """PATH with the engine's programs before the machine's own."""
    root = engine_folder() / "root" / "usr"
    return os.pathsep.join([str(root / "bin"), str(root / "sbin"), os.environ.get("PATH", os.defpath)])


def get_programs(lock: int, report: Report) -> None:
    """Gets what is not there. Raises SetupFailed, e.g. where the user is not root."""
    root = engine_folder() / "root"
    missing = [package for program, package in _INSTALLED.items() if shutil.which(program) is None]
    if not missing and root.is_dir():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed(STEP, "no engine answers, and only root on Debian gets one", "Start Docker.")
    root.parent.mkdir(parents=True, exist_ok=True)
    need_disk(STEP, root.parent, _MEGABYTES)
    builder_environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with report.step(f"{STEP}: Debian's packages") as step:
        builder = Builder(STEP, builder_environment, lock, step)
        for arguments in ("update",), ("install", *missing), ("download", *_UNPACKED):
            builder.run([*APT, *arguments], root.parent)
        partial = root.with_name("root.partial")
        shutil.rmtree(partial, ignore_errors=True)
        for package in sorted(root.parent.glob("*.deb")):
            builder.run(["dpkg", "--extract", str(package), str(partial)], root.parent)
            package.unlink()
    partial.rename(root)


APT: Final = (
    "apt-get",
    "--option=DPkg::Lock::Timeout=300",
    "--option=APT::Install-Recommends=false",
    "--option=APT::Get::Remove=false",
    "--yes",
    "--quiet",
)
"""Another apt-get at work is waited for; what is there stays."""
