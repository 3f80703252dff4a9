from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.keys.errors import KeysUnreadable
from service.keys.key import Previous, key_line
from service.keys.keys_file import read_keys
from support.fixtures.keys import hex_of, key_of, write_keys

ONE, TWO = key_of("uac_one", "write"), key_of("uac_two", "read")


def test_keys_are_read_in_order_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"\n" + key_line(ONE) + b"\n\n" + key_line(TWO))
    assert read_keys(path) == (ONE, TWO)


def test_an_empty_file_has_no_keys(tmp_path: Path) -> None:
    assert read_keys(write_keys(tmp_path / "keys", [])) == ()


def test_a_broken_line_is_named_and_none_of_the_keys_is_taken(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys", [ONE, TWO])
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(KeysUnreadable, match=r"keys, line 3: .*required field"):
        read_keys(path)


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeysUnreadable, match="No such file or directory; `collector keys add` makes"):
        read_keys(tmp_path / "keys")


def test_a_name_stands_there_once(tmp_path: Path) -> None:
    twice = [ONE, key_of("uac_other", "read", name="one")]
    with pytest.raises(KeysUnreadable, match="the name one is there twice"):
        read_keys(write_keys(tmp_path / "keys", twice))


def test_a_key_belongs_to_one_name_only(tmp_path: Path) -> None:
    previous = Previous(hex_of("uac_one"), datetime(2027, 1, 1, tzinfo=UTC))
    twice = [ONE, key_of("uac_two", "read", previous=previous)]
    with pytest.raises(KeysUnreadable, match="SHA-256"):
        read_keys(write_keys(tmp_path / "keys", twice))
