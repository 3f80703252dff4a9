"""In place of the official image of Python: Debian 12 and its Python 3.11, as Debian's packages make them."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from deploy.local.artifacts.go_toolchain import Builder
from deploy.local.report import Report
from support.engine.daemon import docker
from support.engine.programs import STEP, engine_folder

PYTHON: Final = "python:3.11-slim-bookworm"

LABEL: Final = "user-actions-collector.stand-in"
"""Which state of what it is made of an image was made of."""

_SUITE: Final = "bookworm"
_PACKAGES: Final = "ca-certificates,netbase,tzdata"
_LARGE: Final = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_FROM_MACHINE: Final = (Path("/etc/resolv.conf"), Path("/etc/hosts"), _CERTIFICATES)
"""A name, or a registry behind a certificate, that only this machine knows is reached from inside, too."""
_INSIDE: Final = """
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends python3.11-venv
rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED
ln -sf /usr/bin/python3.11 /usr/local/bin/python
ln -sf /usr/bin/python3.11 /usr/local/bin/python3
PYTHONPATH=$(ls /usr/share/python-wheels/pip-*.whl) python -m pip install --quiet --no-cache-dir --no-index \\
    --find-links /usr/share/python-wheels pip setuptools
"""


def base_state() -> str:
    """Another one once this module has changed."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def make_base_image(lock: int, report: Report) -> None:
    """Needs the daemon. Raises SetupFailed."""
    root = engine_folder() / "debian"
    archive = engine_folder() / "debian.tar"
    with report.step(f"{STEP}: a base image of Debian's packages (a minute)") as step:
        builder = Builder(STEP, dict(os.environ), lock, step)
        shutil.rmtree(root, ignore_errors=True)
        builder.run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(root)], root.parent)
        for file in _FROM_MACHINE:
            if file.is_file():
                shutil.copy(file, root / file.relative_to("/"))
        builder.run(["chroot", str(root), "sh", "-ec", _INSIDE], root.parent)
        _trim(root)
        tar = [
            "tar",
            "--numeric-owner",
            "--one-file-system",
            "--exclude=./proc/*",
            "--exclude=./sys/*",
            "--exclude=./dev/*",
        ]
        builder.run([*tar, "-C", str(root), "-cf", str(archive), "."], root.parent)
        changes = (
            "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8",
            f"ENV REQUESTS_CA_BUNDLE=/{_CERTIFICATES.relative_to('/')}",
            'CMD ["python3"]',
            f"LABEL {LABEL}={base_state()}",
        )
        docker("import", *(f"--change={change}" for change in changes), str(archive), PYTHON)
    archive.unlink()
    shutil.rmtree(root)


def _trim(root: Path) -> None:
    for folder in _LARGE:
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir(parents=True, exist_ok=True)
