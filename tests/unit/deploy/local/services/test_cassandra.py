"""Whether a node's log of commits can be written past the page cache."""

import errno
import os
from pathlib import Path

import pytest

from deploy.local.services.cassandra import writes_directly


def test_a_folder_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    writes_directly(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_file_system_that_refuses_it_is_not_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        # The file is there all the same, as on Linux.
        file = opened(path, flags & ~os.O_DIRECT, mode)
        if flags & os.O_DIRECT:
            os.close(file)
            raise OSError(errno.EINVAL, "Invalid argument")
        return file

    monkeypatch.setattr(os, "open", refuse)
    assert not writes_directly(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_has_no_such_flag_is_not_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_DIRECT")
    assert not writes_directly(tmp_path)
