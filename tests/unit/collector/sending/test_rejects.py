import base64
import json
from pathlib import Path
from typing import Any

import pytest

from collector.sending.errors import RejectsUnwritable
from collector.sending.reading.line import Line, too_long
from collector.sending.rejects import Rejected, Rejects, RejectsFile


def rejected(line: Line) -> Rejected:
    return Rejected(line, "not_json", None, "it is no JSON")


def written(path: Path, *lines: Line, unit: str = "line") -> list[dict[str, Any]]:
    with RejectsFile(path) as file:
        file.write(unit, [rejected(line) for line in lines])
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_rejected_line_is_written_with_its_number_its_reason_and_itself(tmp_path: Path) -> None:
    assert written(tmp_path / "rejects", Line(7, b'{"a":"\xc3\xa9"}'), Line(9, b"nope")) == [
        {"line": 7, "code": "not_json", "field": None, "message": "it is no JSON", "text": '{"a":"é"}'},
        {"line": 9, "code": "not_json", "field": None, "message": "it is no JSON", "text": "nope"},
    ]


def test_an_element_s_number_is_not_called_a_line(tmp_path: Path) -> None:
    (entry,) = written(tmp_path / "rejects", Line(7, b"nope"), unit="element")

    assert entry["element"] == 7
    assert "line" not in entry


def test_a_line_that_is_no_utf8_is_written_so_that_it_can_be_had_back(tmp_path: Path) -> None:
    (entry,) = written(tmp_path / "rejects", Line(1, b"\xff{}"))

    assert "text" not in entry
    assert base64.b64decode(entry["base64"]) == b"\xff{}"


def test_the_beginning_of_a_line_too_long_is_not_taken_for_the_line(tmp_path: Path) -> None:
    (entry,) = written(tmp_path / "rejects", too_long(1, b"x" * 16_000, 9_000_000))

    assert "text" not in entry
    assert entry["beginning"] == "x" * 1000


def test_a_file_with_content_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    path.write_text("mended by hand")

    with pytest.raises(RejectsUnwritable, match=f"{path} exists"):
        RejectsFile(path)

    assert path.read_text() == "mended by hand"


def test_an_empty_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "rejects").touch()

    assert len(written(tmp_path / "rejects", Line(1, b"nope"))) == 1


@pytest.mark.parametrize("name", ["", "none/rejects"])
def test_a_file_that_cannot_be_created_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(RejectsUnwritable, match=r"cannot be written: (Is a directory|No such file)"):
        RejectsFile(tmp_path / name)


def test_a_full_disk_is_told_with_the_numbers_of_the_lines_that_may_lack() -> None:
    with RejectsFile(Path("/dev/full")) as file, pytest.raises(RejectsUnwritable) as told:
        file.write("line", [rejected(Line(3, b"a")), rejected(Line(1_700, b"b"))])

    assert str(told.value) == (
        "/dev/full cannot be written: No space left on device. Rejected lines from 3 to 1,700 may not be in it"
    )


def test_ten_are_shown_with_their_numbers_and_where_the_others_are(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with RejectsFile(path) as file:
        without, with_file = Rejects(), Rejects(file)
        for rejects in (without, with_file):
            for first in (1, 7):
                rejects.add([rejected(Line(number, b"nope")) for number in range(first, first + 6)])

    shown = [f"line {number}: it is no JSON" for number in range(1, 11)]
    assert without.lines(12) == [*shown, "… and 2 more: --rejects FILE keeps them all"]
    assert with_file.lines(12) == [*shown, f"… and 2 more: all are in {path}"]
    assert len(path.read_text().splitlines()) == 12


def test_up_to_ten_are_all_that_there_are() -> None:
    rejects = Rejects()
    rejects.add([rejected(Line(1, b"nope"))])

    assert rejects.lines(1) == ["line 1: it is no JSON"]


def test_a_file_that_could_not_be_written_is_not_said_to_hold_them_all() -> None:
    with RejectsFile(Path("/dev/full")) as file:
        rejects = Rejects(file)
        with pytest.raises(RejectsUnwritable):
            rejects.add([rejected(Line(number, b"nope")) for number in range(11)])

    assert "all are in" not in rejects.lines(11)[-1]
