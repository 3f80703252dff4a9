"""Toxiproxy, built from its source by `python -m support.services.toxiproxy_build`: it breaks connections as told.

Only the tests of faults need it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report

TOXIPROXY_VERSION = "2.12.0"

_STEP = f"Toxiproxy {TOXIPROXY_VERSION}"
_MODULE = "github.com/Shopify/toxiproxy/v2"
_MEGABYTES = 500


def toxiproxy() -> Path:
    """Where the built program lies, or would."""
    return cache_folder() / f"toxiproxy-{TOXIPROXY_VERSION}" / "toxiproxy-server"


def build_toxiproxy(report: Report) -> Path:
    """Builds it if it is not there. Raises SetupFailed."""
    target = toxiproxy()
    if target.is_file():
        return target
    with only_set_up(cache_folder(), report) as lock:
        if not target.is_file():
            _build(target, lock, report)
    return target


def _build(target: Path, lock: int, report: Report) -> None:
    workshop = target.parent / "build"
    workshop.mkdir(parents=True, exist_ok=True)
    need_disk(_STEP, workshop, _MEGABYTES)
    version = f"-ldflags=-s -w -X {_MODULE}.Version={TOXIPROXY_VERSION}"
    install = [go_program(_STEP), "install", "-v", version, f"{_MODULE}/cmd/server@v{TOXIPROXY_VERSION}"]
    with report.step(f"{_STEP}: building it from source (a minute)") as step:
        Builder(_STEP, go_environment(workshop), lock, step).run(install, workshop)
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "server", partial)
        _check(partial)
    shutil.rmtree(workshop)


def _check(program: Path) -> None:
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
    if TOXIPROXY_VERSION not in answer.stdout:
        raise SetupFailed(
            _STEP, f"the built program does not run: {answer.stdout}{answer.stderr}", f"Remove {program.parent}."
        )


def main() -> int:
    """Builds it and says where it is."""
    console = Console(stderr=True)
    try:
        path = build_toxiproxy(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(f"{_STEP} is in {path}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
