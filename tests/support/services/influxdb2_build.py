"""InfluxDB 2.7, built from its source by `python -m support.services.influxdb2_build`.

The stack at home runs on 1.8, which needs Go alone. 2.7 is what one deploys; it also needs a C compiler and Rust, and
serves the tests that carry the mark `influx2`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report

INFLUXDB2_VERSION = "2.7.12"

_STEP = f"InfluxDB {INFLUXDB2_VERSION}"
_PACKAGE = "github.com/influxdata/influxdb/v2/cmd/influxd"
_PKG_CONFIG = "github.com/influxdata/pkg-config@v0.2.7"
_MEGABYTES = 4_500
_REMEDY = "Run it again: it goes on where it stopped."


def influxd2() -> Path:
    """Where the built program lies, or would."""
    return cache_folder() / f"influxdb-{INFLUXDB2_VERSION}" / "influxd"


def build_influxd2(report: Report) -> Path:
    """Builds it if it is not there. Raises SetupFailed, e.g. where a compiler is missing."""
    target = influxd2()
    if target.is_file():
        return target
    with only_set_up(cache_folder(), report) as lock:
        if not target.is_file():
            _build(target, lock, report)
    return target


def _build(target: Path, lock: int, report: Report) -> None:
    workshop = target.parent / "build"
    (workshop / "module").mkdir(parents=True, exist_ok=True)
    environment = _compilers(workshop)
    need_disk(_STEP, workshop, _MEGABYTES)
    with report.step(f"{_STEP}: building it from source, Rust and all (five minutes or more)") as step:
        builder = Builder(_STEP, environment, lock, step)
        for command in _commands(workshop):
            builder.run(command, workshop / "module")
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "influxd", partial)
        _check(partial)
    shutil.rmtree(workshop)


def _commands(workshop: Path) -> Iterator[list[str]]:
    """In a module of its own: so the versions that 2.7 was released with are used."""
    (workshop / "module" / "go.mod").write_text("module build\n\ngo 1.24\n")
    version = f"-X main.version=v{INFLUXDB2_VERSION}"
    yield [go_program(_STEP), "get", "-tool", f"{_PACKAGE}@v{INFLUXDB2_VERSION}"]
    yield [go_program(_STEP), "install", _PKG_CONFIG]
    yield [
        *(go_program(_STEP), "build", "-v", "-tags", "sqlite_foreign_keys,sqlite_json", "-ldflags", f"-s -w {version}"),
        *("-o", str(workshop / "bin" / "influxd"), _PACKAGE),
    ]


def _compilers(workshop: Path) -> dict[str, str]:
    """Go's environment with what the query engine's build needs: a C compiler and Rust."""
    cargo = _found("cargo", "Rust (cargo)", "Install Rust, e.g. by your distribution's packages cargo and rustc.")
    _found(os.environ.get("CC", "cc"), "a C compiler", "Install one, e.g. gcc.")
    wrapper = workshop / "cargo"
    # The engine's default features turn newer compilers' warnings into errors.
    wrapper.write_text(f'#!/bin/sh\nexec "{cargo}" "$@" --no-default-features --features flux/cffi\n')
    wrapper.chmod(0o755)
    return go_environment(workshop) | {
        "CARGO": str(wrapper),
        "CGO_ENABLED": "1",
        "GO": go_program(_STEP),
        "PATH": f"{Path(go_program(_STEP)).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PKG_CONFIG": str(workshop / "bin" / "pkg-config"),
        **_toolchain(),
    }


def _toolchain() -> dict[str, str]:
    """Where rustup chooses the compiler: the user's own, not the one of 2023 that the engine's source asks for."""
    rustup = shutil.which("rustup")
    if rustup is None or "RUSTUP_TOOLCHAIN" in os.environ:
        return {}
    answer = subprocess.run([rustup, "default"], capture_output=True, text=True, check=False)  # found in PATH
    if answer.returncode:
        raise SetupFailed(_STEP, f"rustup has no default toolchain: {answer.stderr.strip()}", "Set one, or install it.")
    return {"RUSTUP_TOOLCHAIN": answer.stdout.split()[0]}


def _found(program: str, what: str, remedy: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise SetupFailed(_STEP, f"it cannot be built without {what}: there is no `{program}` in PATH", remedy)
    return path


def _check(program: Path) -> None:
    answer = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60, check=False)
    if INFLUXDB2_VERSION not in answer.stdout:
        raise SetupFailed(_STEP, f"the built program does not run: {answer.stdout}{answer.stderr}", _REMEDY)


def main() -> int:
    """Builds it and says where it is."""
    console = Console(stderr=True)
    try:
        path = build_influxd2(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(f"{_STEP} is in {path}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
