"""Prometheus and its exporters, of Debian's packages, in the cache: `python -m support.builds.monitoring`.

Nothing is installed. Where there is no apt-get, tests that need them are skipped on a laptop and fail in CI.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.artifacts.cache import cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder
from deploy.local.errors import LocalError
from deploy.local.report import Report

PACKAGES: Final = ("prometheus", "prometheus-node-exporter", "prometheus-blackbox-exporter")

_STEP: Final = "Prometheus"
_MEGABYTES: Final = 500


def program(name: str) -> Path:
    """Where a program of these packages lies, or would: `prometheus`, `promtool` and the exporters by their package."""
    return _folder() / "usr" / "bin" / name


def get_monitoring(report: Report) -> None:
    """Gets what is not there. Raises SetupFailed."""
    if _folder().is_dir():
        return
    with only_set_up(cache_folder(), report) as lock:
        if _folder().is_dir():
            return
        need_disk(_STEP, cache_folder(), _MEGABYTES)
        partial = _folder().with_name(_folder().name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with report.step(f"{_STEP}: Debian's {', '.join(PACKAGES)}") as step:
            builder = Builder(_STEP, {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, lock, step)
            if os.geteuid() == 0:
                builder.run(["apt-get", "--quiet", "update"], partial)
            builder.run(["apt-get", "--quiet", "download", *PACKAGES], partial)
            for package in sorted(partial.glob("*.deb")):
                builder.run(["dpkg-deb", "--extract", str(package), str(partial)], partial)
                package.unlink()
        partial.rename(_folder())


def _folder() -> Path:
    return cache_folder() / "monitoring"


def main() -> int:
    """Gets them, where that can be done; in CI it must be."""
    unfinished = 1 if os.environ.get("CI") else 0
    console = Console(stderr=True)
    if shutil.which("apt-get") is None:
        console.print("no apt-get here: tests with Prometheus are skipped")
        return unfinished
    try:
        get_monitoring(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return unfinished
    return 0


if __name__ == "__main__":
    sys.exit(main())
