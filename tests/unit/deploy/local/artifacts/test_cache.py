from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, need_disk, only_set_up
from deploy.local.errors import SetupFailed
from deploy.local.report import Report


class Telling(Report):
    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.waiting = Event()

    def say(self, text: str) -> None:
        if "waiting" in text:
            self.waiting.set()


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
