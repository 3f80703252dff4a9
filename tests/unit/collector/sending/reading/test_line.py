import pytest

from collector.sending.reading.line import Line, line_of


@pytest.mark.parametrize(
    ("text", "is_repeatable"),
    [
        (b'{"timestamp":1,"user":"a","event":"click"}', False),
        (b'{"timestamp":1,"user":"a","event":"click","id":null}', False),
        (b'{"timestamp":1,"user":"a","event":"click","id":"1"}', True),
        (b'{"timestamp":1,"user":"a"}', True),
        (b"no json", True),
    ],
)
def test_lines_that_are_safe_to_repeat_are_those_with_an_id_and_those_that_are_no_action(
    text: bytes, *, is_repeatable: bool
) -> None:
    assert Line(1, text).is_repeatable is is_repeatable


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[1]", "not_object"),
        (b"[", "not_json"),
        (b"nope", "not_json"),
        (b"", "not_json"),
        (b"[" * 1000, "nested_too_deep"),
        (b"\x1f\x8b\x08", "not_json"),
        (b"\xff\xfe{", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"\x0c{}", "not_json"),
    ],
)
def test_what_does_not_begin_as_an_object_is_rejected_here(text: bytes, code: str) -> None:
    rejection = line_of(1, text).rejection

    assert rejection is not None
    assert rejection.code == code


@pytest.mark.parametrize("text", [b"{}", b"{nope", b'{"timestamp":-1}'])
def test_what_begins_as_an_object_is_left_to_the_api(text: bytes) -> None:
    assert line_of(1, text).rejection is None
