"""docker compose, built from its source: a plugin of the command line program."""

import shutil
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import appears_whole, need_disk
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.report import Report
from support.engine.programs import engine_folder

COMPOSE_VERSION: Final = "2.40.3"

_STEP: Final = f"docker compose {COMPOSE_VERSION}"
_MODULE: Final = "github.com/docker/compose/v2"
_MEGABYTES: Final = 2_000


def plugins() -> Path:
    """The folder of plugins, for the program's configuration."""
    return engine_folder() / "cli-plugins"


def get_compose(lock: int, report: Report) -> None:
    """Builds it if it is not there. Raises SetupFailed."""
    target = plugins() / "docker-compose"
    if target.is_file():
        return
    workshop = engine_folder() / "build"
    module = workshop / "module"
    module.mkdir(parents=True, exist_ok=True)
    need_disk(_STEP, workshop, _MEGABYTES)
    (module / "go.mod").write_text("module build\n\ngo 1.24\n")
    version = f"-ldflags=-s -w -X {_MODULE}/internal.Version=v{COMPOSE_VERSION}"
    with report.step(f"{_STEP}: building it from source (some minutes)") as step:
        builder = Builder(_STEP, go_environment(workshop), lock, step)
        builder.run([go_program(_STEP), "get", "-tool", f"{_MODULE}/cmd@v{COMPOSE_VERSION}"], module)
        built = workshop / "docker-compose"
        builder.run([go_program(_STEP), "build", "-v", version, "-o", str(built), f"{_MODULE}/cmd"], module)
    with appears_whole(target) as partial:
        shutil.copy2(built, partial)
    shutil.rmtree(workshop)
