"""The last release's code, out of git: what runs beside this one while it is rolled out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

COMMIT: Final = "3731c7bd56fce2255ff6c6b7ea661d2b19ebc7f9"
"""The last one before Cassandra, packed runs and images. A newer one takes its place once nobody runs it any more."""

_REPOSITORY: Final = Path(__file__).parents[3]


def last_release(folder: Path) -> Path:
    """Unpacks it there: a PYTHONPATH.

    A clone without its history skips tests, in CI too, where clones are mostly shallow: what that release wrote is
    among tests/integration/stores/last_release/data, and read wherever tests run.
    """
    if _git("cat-file", "-e", f"{COMMIT}^{{commit}}").returncode:
        pytest.skip(f"git has no commit {COMMIT}: clone with its history to run that release")
    archive = folder.with_suffix(".zip")
    _git("archive", "--output", str(archive), COMMIT).check_returncode()
    shutil.unpack_archive(archive, folder)
    assert _where_workers_are(folder).is_relative_to(folder)
    return folder


def _where_workers_are(folder: Path) -> Path:
    """The module that `python -m stream_workers` finds with this PYTHONPATH."""
    command = [sys.executable, "-P", "-c", "import stream_workers; print(stream_workers.__file__)"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return Path(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip())


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(_REPOSITORY), *arguments], check=False, capture_output=True)
