import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector.keys.rewriting import rewrite
from service.keys.errors import KeysUnreadable
from service.keys.key import Key
from service.keys.keys_file import read_keys
from support.fixtures.keys import key_of, write_keys

ONE, TWO = key_of("uac_one", "write"), key_of("uac_two", "read")


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    rewrite(path, lambda _: [ONE], create=True)
    assert read_keys(path) == (ONE,)
    assert permissions(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_missing_is_not_made_unless_it_shall_be(tmp_path: Path) -> None:
    with pytest.raises(KeysUnreadable):
        rewrite(tmp_path / "keys", lambda _: [ONE])


def test_a_file_keeps_its_permissions_and_a_link_stays_one(tmp_path: Path) -> None:
    path, link = write_keys(tmp_path / "keys", [ONE]), tmp_path / "link"
    path.chmod(0o640)
    link.symlink_to(path)
    rewrite(link, lambda known: [*known, TWO])
    assert link.is_symlink()
    assert read_keys(path) == (ONE, TWO)
    assert permissions(path) == 0o640


def test_it_is_replaced_and_not_written_over_so_that_nobody_reads_half_of_it(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys", [ONE])
    with path.open("rb") as reading:
        rewrite(path, lambda _: [TWO])
        assert reading.read() == write_keys(tmp_path / "other", [ONE]).read_bytes()
    assert read_keys(path) == (TWO,)


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys", [ONE])

    def fail(_: Sequence[Key]) -> list[Key]:
        raise KeysUnreadable("no")

    with pytest.raises(KeysUnreadable):
        rewrite(path, fail)
    assert read_keys(path) == (ONE,)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_broken_attempt_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".keys.partial").write_bytes(b"{")
    rewrite(tmp_path / "keys", lambda _: [ONE], create=True)
    assert read_keys(tmp_path / "keys") == (ONE,)


def test_of_changes_at_the_same_time_none_is_lost(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys", [])
    keys = [key_of(f"uac_{number}", "read") for number in range(40)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda key: rewrite(path, lambda known: [*known, key]), keys))
    assert {key.name for key in read_keys(path)} == {key.name for key in keys}
