from pathlib import Path

import pytest
import typer

from collector.options import key_headers


def test_the_key_in_a_file_is_sent_without_the_line_s_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("uac_k\n")
    assert key_headers(tmp_path / "key") == {"Authorization": "Bearer uac_k"}


def test_without_a_file_nothing_is_sent() -> None:
    assert key_headers(None) == {}


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", "ü".encode(), b"\xff"])
def test_a_file_that_holds_no_key_is_wrong_usage_and_its_content_is_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(typer.BadParameter) as refused:
        key_headers(tmp_path / "key")
    assert "words" not in str(refused.value)
    assert str(tmp_path / "key") in str(refused.value)


def test_a_file_that_is_missing_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        key_headers(tmp_path / "key")
