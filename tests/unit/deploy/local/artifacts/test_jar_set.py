import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.artifacts import maven_jars
from deploy.local.artifacts.jar_set import CASSANDRA, KAFKA, JarSet
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
    monkeypatch.setattr(JarSet, "jars", lambda _: [JAR])
    monkeypatch.setattr(maven_jars, "_download", registry.download)
    return registry


@pytest.mark.parametrize("listed", [KAFKA, CASSANDRA], ids=lambda listed: listed.folder)
def test_every_listed_jar_has_a_hash_and_a_name_of_its_own(listed: JarSet) -> None:
    jars = listed.jars()
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert len({jar.file for jar in jars}) == len(jars) > 20


def test_a_jar_that_is_there_is_not_fetched_again(registry: Registry, tmp_path: Path) -> None:
    KAFKA.fetch(tmp_path, quiet())
    KAFKA.fetch(tmp_path, quiet())

    assert registry.asked == [JAR.coordinate]


def test_a_damaged_jar_is_fetched_again(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / JAR.file).write_bytes(CONTENT[:5])

    KAFKA.fetch(tmp_path, quiet())

    assert (tmp_path / JAR.file).read_bytes() == CONTENT
    assert registry.asked == [JAR.coordinate]


def test_a_jar_with_another_hash_is_refused_and_does_not_appear(registry: Registry, tmp_path: Path) -> None:
    registry.content = b"something else"

    with pytest.raises(SetupFailed, match=r"org\.example:thing:1\.0 has SHA-256"):
        KAFKA.fetch(tmp_path, quiet())

    assert not (tmp_path / JAR.file).exists()
