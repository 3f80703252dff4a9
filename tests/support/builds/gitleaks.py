"""Gitleaks, built from its source, looks for secrets in the project: `python -m support.builds.gitleaks`.

`.gitleaks.toml` says what it passes over. Exit code 0: none found.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import LocalError
from deploy.local.report import Report

GITLEAKS_VERSION = "8.30.1"

_STEP = f"Gitleaks {GITLEAKS_VERSION}"
_MODULE = "github.com/zricethezav/gitleaks/v8"
_MEGABYTES = 1_500
_PROJECT = Path(__file__).parents[3]


def gitleaks() -> Path:
    """Where the built program lies, or would."""
    return cache_folder() / f"gitleaks-{GITLEAKS_VERSION}" / "gitleaks"


def build_gitleaks(report: Report) -> Path:
    """Builds it if it is not there. Raises SetupFailed."""
    target = gitleaks()
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
    install = [go_program(_STEP), "install", "-v", "-ldflags=-s -w", f"{_MODULE}@v{GITLEAKS_VERSION}"]
    with report.step(f"{_STEP}: building it from source (a minute)") as step:
        Builder(_STEP, go_environment(workshop), lock, step).run(install, workshop)
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "gitleaks", partial)
    shutil.rmtree(workshop)


def scan(program: Path, folder: Path) -> int:
    """Looks at all files in the folder, and prints what looks like a secret, without it; 0: nothing does."""
    config = _PROJECT / ".gitleaks.toml"
    command = [program, "dir", "--no-banner", "--log-level=warn", "--redact", "--verbose", f"--config={config}", folder]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Builds it, and scans the project."""
    console = Console(stderr=True)
    try:
        program = build_gitleaks(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    return scan(program, _PROJECT)


if __name__ == "__main__":
    sys.exit(main())
