import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from rich.console import Console

from deploy.local.artifacts import kafka_jars
from deploy.local.artifacts.cache import appears_whole, need_disk, only_set_up
from deploy.local.artifacts.kafka_jars import Jar, fetch_jars, listed_jars
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

CONTENT = b"a jar's bytes"
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())


class Telling(Report):
    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.waiting = Event()

    def say(self, text: str) -> None:
        if "waiting" in text:
            self.waiting.set()


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
    monkeypatch.setattr(kafka_jars, "_download", registry.download)
    return registry


def test_a_listed_jar_s_file_is_named_by_artifact_version_and_classifier() -> None:
    plain, classified = listed_jars("g.g:a:1 00\ng.g:a:1:linux 11\n")

    assert (plain.file, classified.file) == ("a-1.jar", "a-1-linux.jar")


def test_every_listed_jar_has_a_hash() -> None:
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in kafka_jars.kafka_jars())


def test_a_jar_that_is_there_is_not_fetched_again(registry: Registry, tmp_path: Path) -> None:
    fetch_jars(tmp_path, Telling())
    fetch_jars(tmp_path, Telling())

    assert registry.asked == [JAR.coordinate]


def test_a_damaged_jar_is_fetched_again(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / JAR.file).write_bytes(CONTENT[:5])

    fetch_jars(tmp_path, Telling())

    assert (tmp_path / JAR.file).read_bytes() == CONTENT
    assert registry.asked == [JAR.coordinate]


def test_a_jar_with_another_hash_is_refused_and_does_not_appear(registry: Registry, tmp_path: Path) -> None:
    registry.content = b"something else"

    with pytest.raises(SetupFailed, match=r"org\.example:thing:1\.0 has SHA-256"):
        fetch_jars(tmp_path, Telling())

    assert not (tmp_path / JAR.file).exists()


def test_what_was_half_written_before_an_interruption_is_not_used(tmp_path: Path) -> None:
    target = tmp_path / "program"
    with suppress(KeyboardInterrupt), appears_whole(target) as partial:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt
    assert not target.exists()

    with appears_whole(target) as partial:
        partial.write_bytes(b"whole")

    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    tell, order = Telling(), []

    def second() -> None:
        with only_set_up(tmp_path, tell):
            order.append("second")

    thread = Thread(target=second)
    with only_set_up(tmp_path, Telling()):
        thread.start()
        assert tell.waiting.wait(30)
        order.append("first")
    thread.join(30)

    assert order == ["first", "second"]


def test_too_little_disk_is_said_with_what_is_needed_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match=r"InfluxDB: needs 999999999999 MB .* are free.*COLLECTOR_CACHE"):
        need_disk("InfluxDB", tmp_path, 999_999_999_999)


def test_a_cache_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SetupFailed, match="cannot write"), only_set_up(tmp_path / "file" / "cache", Telling()):
        pass
