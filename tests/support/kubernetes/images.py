"""The images that pods run, as archives that a node imports: this project's own, and those in place of a registry's."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.report import Report
from support.engine.daemon import FOR_BUILDS, daemon, docker
from support.engine.programs import get_programs
from support.engine.stand_ins import INFLUXDB2, KAFKA, gather_parts, make_images
from support.kubernetes.programs import PAUSE

PAUSE_IMAGE: Final = "registry.k8s.io/pause:3.10"

_OURS: Final = "user-actions-collector:latest"
_PROJECT: Final = Path(__file__).parents[3]
_DOCKERFILE: Final = 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n'


def archives(node: str) -> list[Path]:
    """Those of the images that a node's pods run: the stores' disks are node a's."""
    listed = sorted(_archives().glob("*.tar"))
    return [archive for archive in listed if node == "a" or not archive.name.startswith(("kafka-", "influxdb-"))]


def make_archives(report: Report) -> None:
    """Builds the images and writes those that have changed. Raises SetupFailed."""
    stand_ins = gather_parts(report)
    with only_set_up(cache_folder(), report) as lock:
        get_programs(lock, report)
        with daemon(FOR_BUILDS):
            make_images(stand_ins, lock, report)
            with report.step("Images of the services"):
                docker(
                    "build", "--network=host", f"--file={_PROJECT}/deploy/Dockerfile", f"--tag={_OURS}", str(_PROJECT)
                )
                _make_pause()
            with report.step("Archives of the images"):
                _archives().mkdir(exist_ok=True)
                for tag in (_OURS, KAFKA, INFLUXDB2, PAUSE_IMAGE):
                    _save(tag)


def _archives() -> Path:
    return cache_folder() / "kubernetes-images"


def _make_pause() -> None:
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(PAUSE.path, context)
        (Path(context) / "Dockerfile").write_text(_DOCKERFILE)
        docker("build", f"--tag={PAUSE_IMAGE}", context)


def _save(tag: str) -> None:
    name = tag.rpartition("/")[2].partition(":")[0]
    digest = docker("image", "inspect", "--format={{.Id}}", tag).strip().removeprefix("sha256:")[:16]
    archive = _archives() / f"{name}-{digest}.tar"
    if not archive.is_file():
        for old in _archives().glob(f"{name}-*.tar"):
            old.unlink()
        partial = archive.with_suffix(".partial")
        docker("save", f"--output={partial}", tag)
        partial.rename(archive)
