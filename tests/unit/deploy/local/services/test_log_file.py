import os
from pathlib import Path

from deploy.local.services.log_file import LARGE, move_aside_if_large, open_log, tail_of


def write(log: Path, text: bytes) -> None:
    descriptor = open_log(log)
    os.write(descriptor, text)
    os.close(descriptor)


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "worker-1.log"
    write(log, b"one\n")
    write(log, b"two\n")
    assert log.read_bytes() == b"one\ntwo\n"


def test_of_logs_that_grew_large_only_the_last_one_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    for run in (b"first", b"second", b"third"):
        write(log, run)
        os.truncate(log, LARGE + 1)
    write(log, b"fourth")
    assert log.read_bytes() == b"fourth"
    (older,) = set(tmp_path.iterdir()) - {log}
    assert older.read_bytes().startswith(b"third\0")


def test_a_log_that_grows_large_is_moved_aside_while_its_process_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    descriptor = open_log(log)
    os.write(descriptor, b"x" * LARGE)
    move_aside_if_large(log)
    assert log.stat().st_size == LARGE
    os.write(descriptor, b"last\n")
    move_aside_if_large(log)
    os.write(descriptor, b"first\n")
    os.close(descriptor)
    assert log.read_bytes() == b"first\n"
    (older,) = set(tmp_path.iterdir()) - {log}
    assert older.read_bytes().endswith(b"xlast\n")
    move_aside_if_large(tmp_path / "none.log")


def test_the_tail_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))

    told = tail_of(log).splitlines()

    assert told[-1] == "  line 9999"
    assert len(told) < 20


def test_a_log_that_is_not_there_has_no_tail(tmp_path: Path) -> None:
    assert tail_of(tmp_path / "log") == ""
