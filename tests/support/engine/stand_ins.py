"""Images under the names of those that only a registry has, made of what set-up fetched and built."""

import hashlib
import shutil
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cassandra import set_up_cassandra
from deploy.local.artifacts.installed import Artifacts, set_up
from deploy.local.report import Report
from deploy.local.services.cassandra import ACCESS
from support.builds.influxdb2 import build_influxd2
from support.builds.monitoring import get_monitoring, program
from support.engine.base_image import LABEL, PYTHON, base_state, make_base_image
from support.engine.daemon import docker
from support.engine.programs import STEP, engine_folder

KAFKA: Final = "apache/kafka:4.3.1"
KAFKA_OF_TESTCONTAINERS: Final = "confluentinc/cp-kafka:8.1.0"
INFLUXDB1: Final = "influxdb:1.8.10"
INFLUXDB2: Final = "influxdb:2.7.12"
CADDY: Final = "caddy:2.11.7-alpine"
CASSANDRA: Final = "cassandra:5.0.9"
MONITORING: Final = {
    "prometheus": "prom/prometheus:v3.5.0",
    "prometheus-node-exporter": "prom/node-exporter:v1.9.1",
    "prometheus-blackbox-exporter": "prom/blackbox-exporter:v0.27.0",
}
"""By Debian's program, which is older."""

_IMAGES: Final = Path(__file__).with_name("images")


@dataclass(frozen=True, slots=True)
class StandIn:
    """One image."""

    tag: str
    folder: str
    parts: Mapping[str, Path]
    """What goes beside the files of its folder, by name."""


def gather_parts(report: Report) -> list[StandIn]:
    """What the images are made of, fetched or built; in the order in which they need each other. Raises SetupFailed."""
    artifacts = set_up(report)
    return [
        StandIn(KAFKA, "kafka", _kafka_parts(artifacts)),
        StandIn(KAFKA_OF_TESTCONTAINERS, "cp-kafka", {}),
        StandIn(INFLUXDB1, "influxdb1", {"influxd": artifacts.influxd}),
        StandIn(INFLUXDB2, "influxdb2", {"influxd": build_influxd2(report)}),
        StandIn(CADDY, "caddy", {"caddy": Path(sysconfig.get_path("scripts")) / "caddy"}),
    ]


def gather_more_parts(report: Report) -> list[StandIn]:
    """Likewise: those that only deploy/compose.yaml has, by profile."""
    get_monitoring(report)
    cassandra = set_up_cassandra(report)
    parts = {"jre": cassandra.java.parents[1], "libs": cassandra.jars, "java-options": _java_options()}
    return [
        StandIn(CASSANDRA, "cassandra", parts),
        *(StandIn(tag, "monitoring", {"program": program(name)}) for name, tag in MONITORING.items()),
    ]


def make_images(stand_ins: list[StandIn], lock: int, report: Report) -> None:
    """Makes those that are missing or old. Needs the daemon. Raises SetupFailed."""
    if _label_of(PYTHON) != base_state():
        make_base_image(lock, report)
    for stand_in in stand_ins:
        digest = _digest(_IMAGES / stand_in.folder)
        if _label_of(stand_in.tag) != digest:
            with report.step(f"{STEP}: an image in place of {stand_in.tag}"):
                _build(stand_in, digest)


def _kafka_parts(artifacts: Artifacts) -> dict[str, Path]:
    return {"jre": artifacts.java.parents[1], "libs": artifacts.kafka_jars}


def _java_options() -> Path:
    """A file of what Cassandra needs, in the form that Java reads."""
    file = engine_folder() / "cassandra-java-options"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join((*ACCESS, "-Dcassandra-foreground=yes", "-Djdk.attach.allowAttachSelf=true")))
    return file


def _build(stand_in: StandIn, digest: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        context = Path(name) / "context"
        shutil.copytree(_IMAGES / stand_in.folder, context)
        for part, source in stand_in.parts.items():
            copy: Callable[[Path, Path], object] = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, context / part)
        docker("build", "--network=host", f"--label={LABEL}={digest}", f"--tag={stand_in.tag}", str(context))


def _label_of(tag: str) -> str:
    """Empty where there is no such image, or it has none."""
    listed = docker("image", "ls", "--quiet", tag).strip()
    if not listed:
        return ""
    return docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag).strip()


def _digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()[:16]
