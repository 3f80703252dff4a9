"""The cache folder: artefacts appear in it whole or not at all, and one set-up at a time works in it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.errors import SetupFailed
from deploy.local.report import Report

_MEGABYTE = 1_000_000


def cache_folder() -> Path:
    """`$COLLECTOR_CACHE`, or `~/.cache/user-actions-collector`."""
    chosen = os.environ.get("COLLECTOR_CACHE")
    return Path(chosen).expanduser().resolve() if chosen else Path.home() / ".cache" / "user-actions-collector"


@contextmanager
def only_set_up(cache: Path, report: Report) -> Iterator[int]:
    """Holds the cache's lock, waiting for another set-up; gives the lock's file descriptor.

    A child that inherits the descriptor keeps the lock for as long as it works, even if its parent was killed.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(cache / "setup.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SetupFailed(
            "Set-up", f"cannot write to {cache}: {error}", "Choose a folder by COLLECTOR_CACHE."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.say(f"Another set-up is at work in {cache}; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def need_disk(step: str, folder: Path, megabytes: int) -> None:
    """Raises SetupFailed where less than so much disk is free."""
    free = shutil.disk_usage(folder).free // _MEGABYTE
    if free < megabytes:
        raise SetupFailed(
            step,
            f"needs {megabytes} MB of free disk in {folder}, {free} MB are free",
            "Free some, or choose another folder by COLLECTOR_CACHE.",
        )


@contextmanager
def appears_whole(target: Path) -> Iterator[Path]:
    """A temporary name beside `target`, which takes its place once the block has written and verified it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    yield partial
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
