import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.action import MAX_ID, MAX_USER, Action, Rejection, encode_action, parse_line
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.errors import RequestRefused
from ingest_api.http.batch import MAX_LINE_BYTES, CheckedBatch, check_batch
from ingest_api.http.content_type import ContentType
from support.fixtures.ingest import Turns

NOW = 1_800_000_000_000
POLICY = AcceptancePolicy(("click", "impression"), 0, timedelta(hours=1), lambda: NOW)
GOOD = Action(1, "u", "click")
LINE = encode_action(GOOD)


async def ndjson(body: bytes, max_lines: int = 10_000) -> CheckedBatch:
    return await check_batch(body, ContentType.NDJSON, max_lines, POLICY)


async def array(body: bytes, max_lines: int = 10_000) -> CheckedBatch:
    return await check_batch(body, ContentType.JSON, max_lines, POLICY)


def refused(checked: CheckedBatch) -> list[tuple[int, str]]:
    return [(line, rejection.code) for line, rejection in checked.refused]


async def test_a_bad_line_never_refuses_the_good_ones_and_is_named_by_its_number_from_0() -> None:
    checked = await ndjson(b"\n".join([LINE, b"?", LINE, LINE.replace(b"click", b"share"), LINE]) + b"\n")
    assert checked.accepted == [GOOD] * 3
    assert refused(checked) == [(1, "not_json"), (3, "event_unknown")]


async def test_a_bad_element_never_refuses_the_good_ones_and_is_named_by_its_place_from_0() -> None:
    checked = await array(b"[" + b",".join([LINE, b"7", LINE, LINE.replace(b"click", b"share"), LINE]) + b"]")
    assert checked.accepted == [GOOD] * 3
    assert refused(checked) == [(1, "not_object"), (3, "event_unknown")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"])
async def test_the_last_line_may_end_in_a_newline_in_none_or_in_blank_lines(end: bytes) -> None:
    assert await ndjson(LINE + b"\n" + LINE + end) == CheckedBatch([GOOD, GOOD], [])


async def test_blank_lines_are_skipped_but_counted_for_the_numbers_of_others() -> None:
    checked = await ndjson(b"\n" + LINE + b"\n \r\n\n?\n\n")
    assert checked.accepted == [GOOD]
    assert refused(checked) == [(4, "not_json")]


@pytest.mark.parametrize("body", [b"", b"\n", b"  ", b"\r\n\r\n"])
async def test_a_body_of_no_lines_is_an_empty_batch(body: bytes) -> None:
    assert await ndjson(body) == CheckedBatch([], [])


async def test_an_empty_array_is_an_empty_batch() -> None:
    assert await array(b" [ ] ") == CheckedBatch([], [])


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", LINE, b"[", b"[1", b"[1,]", b"[1]]", b"[1] x", b'[{"a":}]', b"[tru]", b"null", b"[" * 5000, b"\xff"],
)
async def test_json_that_is_no_array_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(RequestRefused) as error:
        await array(body)
    assert (error.value.status, error.value.code) == (400, "array_malformed")


async def test_an_element_that_is_no_utf8_is_refused_by_itself() -> None:
    assert refused(await array(b"[" + LINE + b',{"user":"\xff"}]')) == [(1, "not_json")]


@given(
    st.lists(
        st.builds(
            Action,
            timestamp=st.integers(0, NOW),
            user=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8),
            event=st.sampled_from(["click", "impression", "share"]),
        ),
        max_size=20,
    ),
    st.sampled_from([None, 1]),
    st.booleans(),
)
async def test_an_array_written_in_any_style_is_judged_like_its_lines(
    actions: list[Action],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - drawn, not called by people
) -> None:
    written = json.dumps(msgspec.to_builtins(actions), indent=indent, ensure_ascii=ascii_only).encode()
    assert await array(written) == await ndjson(b"\n".join(map(encode_action, actions)))


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line) | st.just(LINE), max_size=30))
async def test_each_line_is_judged_as_if_it_were_alone(lines: list[bytes]) -> None:
    checked = await ndjson(b"\n".join(lines))
    alone = [(number, parse_line(line)) for number, line in enumerate(lines) if line.strip(b" \t\r")]
    assert checked.accepted == [item for _, item in alone if isinstance(item, Action)]
    assert checked.refused == [(number, item) for number, item in alone if isinstance(item, Rejection)]


@pytest.mark.parametrize("size", [999, 1000, 1001, 2500])
async def test_numbers_go_on_where_the_next_portion_of_lines_begins(size: int) -> None:
    checked = await ndjson(b"\n".join([LINE] * size + [b"?"]))
    assert len(checked.accepted) == size
    assert refused(checked) == [(size, "not_json")]


async def test_while_a_large_batch_is_judged_others_have_their_turn() -> None:
    turns = Turns()
    await ndjson(b"\n".join([LINE] * 5000))
    assert turns.taken() >= 5


async def test_a_batch_has_as_many_lines_as_the_limit_and_one_more_is_refused_as_a_whole() -> None:
    lines = b"\n".join([LINE] * 5)
    assert len((await ndjson(lines + b"\n", max_lines=5)).accepted) == 5
    assert len((await array(b"[" + lines.replace(b"\n", b",") + b"]", max_lines=5)).accepted) == 5
    with pytest.raises(RequestRefused) as by_lines:
        await ndjson(lines + b"\n\n", max_lines=5)
    with pytest.raises(RequestRefused) as by_elements:
        await array(b"[" + lines.replace(b"\n", b",") + b",1]", max_lines=5)
    assert {(e.value.status, e.value.code) for e in (by_lines, by_elements)} == {(413, "too_many_lines")}


async def test_an_array_of_very_many_elements_is_refused_before_they_take_memory() -> None:
    with pytest.raises(RequestRefused) as error:
        await array(b"[" + b"1," * 10**6 + b"not even JSON", max_lines=10_000)
    assert error.value.code == "too_many_lines"


async def test_commas_in_texts_are_no_elements_up_to_32_a_line() -> None:
    def of_commas(count: int) -> bytes:
        return b'[{"timestamp":1,"event":"click","user":"%s"}]' % (b"," * (count - 2))

    assert len((await array(of_commas(32), max_lines=1)).accepted) == 1
    with pytest.raises(RequestRefused):
        await array(of_commas(33), max_lines=1)


async def test_the_longest_way_to_write_an_action_is_no_line_too_long() -> None:
    longest = Action(NOW, "😀" * MAX_USER, "impression", "😀" * MAX_ID)
    escaped = json.dumps(msgspec.to_builtins(longest)).encode()
    assert len(escaped) < MAX_LINE_BYTES
    assert await ndjson(escaped.ljust(MAX_LINE_BYTES)) == CheckedBatch([longest], [])
    assert await array(b"[" + escaped + b"]") == CheckedBatch([longest], [])
    over_lines = escaped[:-1].ljust(MAX_LINE_BYTES - 1, b"\n") + b"}"
    assert await array(b"[" + over_lines + b"]") == CheckedBatch([longest], [])


async def test_a_line_that_is_longer_than_any_action_is_refused_by_itself() -> None:
    checked = await ndjson(LINE + b"\n" + LINE.ljust(MAX_LINE_BYTES + 1) + b"\n" + LINE)
    assert checked.accepted == [GOOD, GOOD]
    assert refused(checked) == [(1, "line_too_long")]


@pytest.mark.parametrize("before", [0, 1, MAX_LINE_BYTES // 2 // (len(LINE) + 1), 300])
@pytest.mark.parametrize("after", [0, 1, 300])
async def test_a_line_too_long_is_found_wherever_it_lies_in_the_body(before: int, after: int) -> None:
    too_long = LINE[:-1].ljust(MAX_LINE_BYTES) + b"}"
    checked = await ndjson(b"\n".join([LINE] * before + [too_long] + [LINE] * after))
    assert checked.accepted == [GOOD] * (before + after)
    assert refused(checked) == [(before, "line_too_long")]
