import gzip
import random

import pytest

from collector.sending.errors import FileUnreadable
from collector.sending.reading.form import HEAD, Form, form_of, is_enough

LINE = b'{"timestamp":1,"user":"a","event":"click"}'
TEXT = '{"timestamp":1,"user":"é","event":"click"}\n' * 3
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("head", "form", "ignored"),
    [
        (LINE, Form.LINES, 0),
        (BOM + LINE, Form.LINES, 3),
        (b"\n \n" + LINE, Form.LINES, 0),
        (b"{}\nnope\n", Form.LINES, 0),
        (b"", Form.LINES, 0),
        (b"\n\n", Form.LINES, 0),
        (b"[" + LINE, Form.ARRAY, 0),
        (b"[", Form.ARRAY, 0),
        (BOM + b" \r\n[\n\t" + LINE, Form.ARRAY, 6),
        (b" []", Form.ARRAY, 1),
        (gzip.compress(LINE), Form.GZIP, 0),
    ],
)
def test_a_form_that_is_sent_is_known_by_its_first_bytes(head: bytes, form: Form, ignored: int) -> None:
    assert form_of(head) == (form, ignored)


@pytest.mark.parametrize("first", [b'er":"a","event":"click"}', b"# a, comment", b"<a>", b"nope", b"\0\0\0", b"{"])
def test_a_bad_line_before_good_ones_does_not_keep_these_from_being_sent(first: bytes) -> None:
    assert form_of(first + b"\n" + LINE + b"\n" + LINE)[0] is Form.LINES


def test_a_first_line_that_is_too_long_to_be_seen_whole_does_not_either() -> None:
    assert form_of(b"x" * HEAD)[0] is Form.LINES


@pytest.mark.parametrize(
    ("head", "looks_like"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (("[" + TEXT).encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (b"timestamp,user,event\n1,a,click\n", "CSV: it begins with “timestamp,user,event”"),
        (BOM + b"timestamp;user;event\r\n1;a;click\r\n", "CSV: it begins with “timestamp;user;event”"),
        (b"timestamp\tuser\n", "CSV"),
        (b"<?xml version='1.0'?>\n<a/>", "XML or HTML"),
        (b'{\n  "timestamp": 1,\n  "user": "a"\n}\n', "JSON objects written over several lines"),
        (b"{'timestamp': 1, 'user': 'a'}\n", "text of another form: it begins with “{'timestamp': 1"),
        (b"[2026-01-01 12:00] started\n", "text of another form"),
        (b"[1, 2]", "text of another form"),
        (b"hello\x1b[2Jworld", "text of another form: it begins with “hello\N{REPLACEMENT CHARACTER}[2Jworld”"),
        (random.Random(1).randbytes(HEAD), "a binary file"),
        (bytes(HEAD), "a binary file"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x28\xb5\x2f\xfdrest", "compressed with zstd"),
    ],
)
def test_another_form_is_refused_in_one_line_that_names_it_and_what_is_expected(head: bytes, looks_like: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        form_of(head)

    told = str(refused.value)
    assert told.startswith(f"looks like {looks_like}")
    assert told.endswith("expected is one JSON object a line, or a JSON array of objects, in UTF-8, gzipped or not")
    assert told.isprintable()


@pytest.mark.parametrize("head", [LINE + b"\n", b"[" + LINE, gzip.compress(LINE), b"x\n" * 10, b"x" * HEAD])
def test_a_head_is_enough_once_nothing_that_follows_can_change_the_form(head: bytes) -> None:
    assert is_enough(head)


@pytest.mark.parametrize("head", [b"", b"{", b"[", b"[ \n  ", b"{\n", b"x\n" * 9, LINE, b"\n" * 100])
def test_a_head_is_not_enough_while_the_form_is_open(head: bytes) -> None:
    assert not is_enough(head)
