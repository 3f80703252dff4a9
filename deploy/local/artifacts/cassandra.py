"""What Cassandra runs on: its jars and Java 17. Fetched only for those who ask for it."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.artifacts.jar_set import CASSANDRA
from deploy.local.artifacts.java17 import fetch_java17, java17
from deploy.local.errors import CannotStart
from deploy.local.report import Report


@dataclass(frozen=True, slots=True)
class CassandraArtifacts:
    """Where the programs lie."""

    java: Path
    jars: Path


def _artifacts(cache: Path) -> CassandraArtifacts:
    return CassandraArtifacts(java=java17(cache), jars=cache / CASSANDRA.folder)


def set_up_cassandra(report: Report) -> CassandraArtifacts:
    """Fetches and verifies what is missing. Raises SetupFailed; run again, it goes on where it stopped."""
    cache = cache_folder()
    artifacts = _artifacts(cache)
    with only_set_up(cache, report):
        fetch_java17(cache, report)
        CASSANDRA.fetch(artifacts.jars, report)
    return artifacts


def cassandra_installed() -> CassandraArtifacts:
    """What `set_up_cassandra` left. Raises CannotStart if some of it is missing; nothing is fetched."""
    artifacts = _artifacts(cache_folder())
    if CASSANDRA.missing_in(artifacts.jars) or not artifacts.java.is_file():
        raise CannotStart(f"Cassandra is not set up in {cache_folder()}: run `collector setup --store cassandra`")
    return artifacts
