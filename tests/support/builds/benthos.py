"""Benthos, built from its source by `python -m support.builds.benthos`: one of docs/producers.md's producers.

Of its hundreds of components only those that the page's example names are built in.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report

BENTHOS_VERSION: Final = "4.27.0"

_STEP: Final = f"Benthos {BENTHOS_VERSION}"
_MODULE: Final = "github.com/benthosdev/benthos/v4"
_COMPONENTS: Final = ("io", "kafka", "pure")
_MEGABYTES: Final = 1_500
_PROGRAM: Final = """\
package main

import (
	"context"

{components}
	"{module}/public/service"
)

func main() {{ service.RunCLI(context.Background()) }}
"""


def benthos() -> Path:
    """Where the built program lies, or would."""
    return cache_folder() / f"benthos-{BENTHOS_VERSION}" / "benthos"


def build_benthos(report: Report) -> Path:
    """Builds it if it is not there. Raises SetupFailed."""
    target = benthos()
    if target.is_file():
        return target
    with only_set_up(cache_folder(), report) as lock:
        if not target.is_file():
            _build(target, lock, report)
    return target


def _build(target: Path, lock: int, report: Report) -> None:
    workshop = target.parent / "build"
    source = workshop / "source"
    source.mkdir(parents=True, exist_ok=True)
    need_disk(_STEP, workshop, _MEGABYTES)
    components = "\n".join(f'\t_ "{_MODULE}/public/components/{name}"' for name in _COMPONENTS)
    (source / "main.go").write_text(_PROGRAM.format(components=components, module=_MODULE))
    (source / "go.mod").write_text(f"module build\n\ngo 1.24\n\nrequire {_MODULE} v{BENTHOS_VERSION}\n")
    version = f"-ldflags=-s -w -X {_MODULE}/internal/cli.Version=v{BENTHOS_VERSION}"
    build = [go_program(_STEP), "build", "-v", version, "-o", str(workshop / "bin" / "benthos"), "."]
    with report.step(f"{_STEP}: building it from source (some minutes)") as step:
        Builder(_STEP, go_environment(workshop), lock, step).run(build, source)
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "benthos", partial)
        _check(partial)
    shutil.rmtree(workshop)


def _check(program: Path) -> None:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    if BENTHOS_VERSION not in answer.stdout:
        raise SetupFailed(
            _STEP, f"the built program does not run: {answer.stdout}{answer.stderr}", f"Remove {program.parent}."
        )


def main() -> int:
    """Builds it and says where it is."""
    console = Console(stderr=True)
    try:
        path = build_benthos(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(f"{_STEP} is in {path}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
