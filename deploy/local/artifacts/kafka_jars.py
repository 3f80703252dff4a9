"""Kafka's jars: a checked-in list of Maven coordinates with their SHA-256, fetched and verified."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from maven_artifact import Artifact, Downloader, RequestException  # type: ignore[import-untyped] # it has no types
from requests import RequestException as ConnectionBroken

from deploy.local.artifacts.cache import appears_whole, need_disk
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

KAFKA_VERSION = "4.3.1"

_STEP = f"Kafka {KAFKA_VERSION}"
_LIST = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.txt")
_MEGABYTES = 100
_CONNECTIONS = 6
_TIMEOUT = (15, 60)
_ATTEMPTS = 3
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Jar:
    """A Maven artefact `group:artifact:version[:classifier]` and the SHA-256 that it must have."""

    coordinate: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file's name."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"

    def is_in(self, folder: Path) -> bool:
        """Whether it lies there, whole."""
        path = folder / self.file
        return path.is_file() and sha256_of(path) == self.sha256


def sha256_of(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listed_jars(text: str) -> list[Jar]:
    """The jars of a list, one `coordinate sha256` a line."""
    return [Jar(*line.split()) for line in text.splitlines() if line]


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
        futures = {pool.submit(_fetch, jar, folder): jar for jar in missing}
        try:
            for future in as_completed(futures):
                future.result()
                step.advance(futures[future].file)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(jar: Jar, folder: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with appears_whole(folder / jar.file) as partial:
                with partial.open("wb") as file:
                    file.writelines(_download(jar))
                found = sha256_of(partial)
                if found != jar.sha256:
                    raise SetupFailed(
                        _STEP,
                        f"{jar.coordinate} has SHA-256 {found}, but {jar.sha256} is listed",
                        "Something between here and the registry changed it: try another network.",
                    )
        except (RequestException, ConnectionBroken) as error:
            if attempt == _ATTEMPTS:
                raise SetupFailed(
                    _STEP,
                    f"cannot fetch {jar.coordinate} from the Maven registry ({error})",
                    "Check the network and the proxy settings, then run it again: it goes on where it stopped.",
                ) from error
            time.sleep(attempt)  # a registry that refuses is given a moment; there is no event to wait for
        else:
            return


def _download(jar: Jar) -> Iterator[bytes]:
    group, artifact, version, *classifier = jar.coordinate.split(":")
    downloader = Downloader()
    address = downloader.resolver.uri_for_artifact(Artifact(group, artifact, version, *classifier))
    with downloader.requestor.request(address, None, stream=True, timeout=_TIMEOUT) as response:
        yield from response.iter_content(_CHUNK)
