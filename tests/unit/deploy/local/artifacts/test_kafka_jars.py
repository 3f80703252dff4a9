import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.artifacts import kafka_jars, maven_jars
from deploy.local.artifacts.kafka_jars import fetch_jars
from deploy.local.artifacts.maven_jars import Jar
from deploy.local.errors import SetupFailed
from deploy.local.report import quiet

CONTENT = b"a jar's bytes"
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())


class Registry:
    """Stands in for the network."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[str] = []

    def download(self, jar: Jar) -> Iterator[bytes]:
        self.asked.append(jar.coordinate)
        yield self.content


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(kafka_jars, "kafka_jars", lambda: [JAR])
    monkeypatch.setattr(maven_jars, "_download", registry.download)
    return registry


def test_every_listed_jar_has_a_hash() -> None:
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in kafka_jars.kafka_jars())


def test_a_jar_that_is_there_is_not_fetched_again(registry: Registry, tmp_path: Path) -> None:
    fetch_jars(tmp_path, quiet())
    fetch_jars(tmp_path, quiet())

    assert registry.asked == [JAR.coordinate]


def test_a_damaged_jar_is_fetched_again(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / JAR.file).write_bytes(CONTENT[:5])

    fetch_jars(tmp_path, quiet())

    assert (tmp_path / JAR.file).read_bytes() == CONTENT
    assert registry.asked == [JAR.coordinate]


def test_a_jar_with_another_hash_is_refused_and_does_not_appear(registry: Registry, tmp_path: Path) -> None:
    registry.content = b"something else"

    with pytest.raises(SetupFailed, match=r"org\.example:thing:1\.0 has SHA-256"):
        fetch_jars(tmp_path, quiet())

    assert not (tmp_path / JAR.file).exists()
