"""Kafka's jars: a checked-in list of Maven coordinates with their SHA-256."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from deploy.local.artifacts.cache import need_disk
from deploy.local.artifacts.maven_jars import Jar, fetch_jar, listed_jars
from deploy.local.report import Report

KAFKA_VERSION = "4.3.1"

_STEP = f"Kafka {KAFKA_VERSION}"
_LIST = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.txt")
_MEGABYTES = 100
_CONNECTIONS = 6


def kafka_jars() -> list[Jar]:
    """All jars that the broker needs."""
    return listed_jars(_LIST.read_text())


def fetch_jars(folder: Path, report: Report) -> None:
    """Brings every jar that is missing or damaged into `folder`; what an earlier attempt fetched stays."""
    missing = [jar for jar in kafka_jars() if not jar.is_in(folder)]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    need_disk(_STEP, folder, _MEGABYTES)
    with (
        report.step(f"{_STEP}: fetching its jars", len(missing)) as step,
        ThreadPoolExecutor(_CONNECTIONS) as pool,
    ):
        futures = {pool.submit(fetch_jar, jar, folder, _STEP): jar for jar in missing}
        try:
            for future in as_completed(futures):
                future.result()
                step.advance(futures[future].file)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
