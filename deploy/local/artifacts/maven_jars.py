"""Jars of the Maven registry, each with the SHA-256 that it must have: fetched and verified."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.artifacts.cache import appears_whole
from deploy.local.errors import SetupFailed

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


def fetch_jar(jar: Jar, folder: Path, step: str) -> None:
    """Brings one jar into `folder`, whole or not at all. Raises SetupFailed, which names the `step` of the set-up."""
    # The image, where other commands of the program run, has neither.
    from maven_artifact import RequestException  # type: ignore[import-untyped] # noqa: PLC0415 # see above; no types
    from requests import RequestException as ConnectionBroken  # noqa: PLC0415 # see above

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with appears_whole(folder / jar.file) as partial:
                with partial.open("wb") as file:
                    file.writelines(_download(jar))
                found = sha256_of(partial)
                if found != jar.sha256:
                    raise SetupFailed(
                        step,
                        f"{jar.coordinate} has SHA-256 {found}, but {jar.sha256} is listed",
                        "Something between here and the registry changed it: try another network.",
                    )
        except (RequestException, ConnectionBroken) as error:
            if attempt == _ATTEMPTS:
                raise SetupFailed(
                    step,
                    f"cannot fetch {jar.coordinate} from the Maven registry ({error})",
                    "Check the network and the proxy settings, then run it again: it goes on where it stopped.",
                ) from error
            time.sleep(attempt)  # a registry that refuses is given a moment; there is no event to wait for
        else:
            return


def _download(jar: Jar) -> Iterator[bytes]:
    from maven_artifact import Artifact, Downloader  # noqa: PLC0415 # see fetch_jar

    group, artifact, version, *classifier = jar.coordinate.split(":")
    downloader = Downloader()
    address = downloader.resolver.uri_for_artifact(Artifact(group, artifact, version, *classifier))
    with downloader.requestor.request(address, None, stream=True, timeout=_TIMEOUT) as response:
        yield from response.iter_content(_CHUNK)
