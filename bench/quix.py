"""Quix Streams, in an environment of its own: nothing of this project depends on it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import cache_folder

_APP: Final = Path(__file__).parent / "baselines" / "quix_app.py"


def quix_program() -> list[str]:
    """What starts the baseline; at first it installs the latest release. Raises RuntimeError where that fails."""
    folder = cache_folder() / "bench-quix"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "quixstreams>=3.28"])
        done.touch()
    return [str(python), "-W", "ignore", str(_APP)]


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr[-1000:]}")
