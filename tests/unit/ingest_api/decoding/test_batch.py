import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import MAX_ID, MAX_USER, Action, Rejection, encode_action, parse_line
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.batch import check_batch
from ingest_api.decoding.checked import CheckedBatch
from ingest_api.decoding.lines import MAX_LINE_BYTES
from ingest_api.errors import RequestRefused
from support.fixtures.ingest import Turns

NOW = 1_800_000_000_000
POLICY = AcceptancePolicy(("click", "impression"), 0, timedelta(hours=1), lambda: NOW)
GOOD = Action(1, "u", "click")
LINE = encode_action(GOOD)


async def check(body: bytes, max_lines: int = 10_000) -> CheckedBatch:
    return await check_batch(body, max_lines, POLICY)


def refused(checked: CheckedBatch) -> list[tuple[int, str]]:
    return [(line, rejection.code) for line, rejection in checked.refused]


async def test_a_bad_line_never_refuses_the_good_ones_and_is_named_by_its_number_from_0() -> None:
    checked = await check(b"\n".join([LINE, b"?", LINE, LINE.replace(b"click", b"share"), LINE]) + b"\n")
    assert checked.accepted == [GOOD] * 3
    assert refused(checked) == [(1, "not_json"), (3, "event_unknown")]


async def test_a_bad_element_never_refuses_the_good_ones_and_is_named_by_its_place_from_0() -> None:
    checked = await check(b"[" + b",".join([LINE, b"7", LINE, LINE.replace(b"click", b"share"), LINE]) + b"]")
    assert checked.accepted == [GOOD] * 3
    assert refused(checked) == [(1, "not_object"), (3, "event_unknown")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"])
async def test_the_last_line_may_end_in_a_newline_in_none_or_in_blank_lines(end: bytes) -> None:
    assert await check(LINE + b"\n" + LINE + end) == CheckedBatch([GOOD, GOOD])


async def test_blank_lines_are_skipped_but_counted_for_the_numbers_of_others() -> None:
    checked = await check(b"\n" + LINE + b"\n \r\n\n?\n\n")
    assert checked.accepted == [GOOD]
    assert refused(checked) == [(4, "not_json")]


async def refusal_of(body: bytes) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as error:
        await check(body)
    return error.value.status, error.value.code


@pytest.mark.parametrize("body", [b"", b"\n", b"  ", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
async def test_a_body_of_no_lines_is_refused(body: bytes) -> None:
    assert await refusal_of(body) == (400, "body_empty")


async def test_an_empty_array_is_an_empty_batch() -> None:
    assert await check(b" [ ] ") == CheckedBatch()


@pytest.mark.parametrize("body", [b"[", b"[1", b"[1,]", b"[1]]", b"[1] x", b'[{"a":}]', b"[tru]", b"[" * 5000])
async def test_an_array_that_is_malformed_is_refused_as_a_whole(body: bytes) -> None:
    assert await refusal_of(body) == (400, "array_malformed")


async def test_an_array_that_is_nested_too_deep_is_refused_in_words_of_ours() -> None:
    with pytest.raises(RequestRefused, match=r"is not a JSON array: it is nested too deep$"):
        await check(b"[" * 5_000)


@pytest.mark.parametrize("body", [b"{}", b"null", b"\xff", b"7", b'"text"', b"timestamp=1&user=u&event=click"])
async def test_a_body_of_one_thing_that_is_no_action_is_one_rejected_line(body: bytes) -> None:
    assert [line for line, _ in refused(await check(body))] == [0]


@pytest.mark.parametrize("before", [b"", b"\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("body", [LINE, b"[" + LINE + b"]", b"\n".join([LINE, b"", LINE]), LINE.replace(b",", b",\n")])
async def test_what_a_body_is_its_first_bytes_tell(before: bytes, body: bytes) -> None:
    checked = await check(before + body)
    assert checked.refused == []
    assert checked.accepted == [GOOD] * body.count(b"{")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
async def test_utf_16_is_refused_by_its_byte_order_mark_and_never_taken_for_actions(encoding: str) -> None:
    mark = b"" if encoding == "utf-16" else {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
    assert await refusal_of(mark + LINE.decode().encode(encoding)) == (400, "body_not_utf8")


async def test_an_object_over_several_lines_is_one_action_and_lines_that_hold_a_bad_one_stay_lines() -> None:
    pretty = json.dumps(msgspec.to_builtins(GOOD), indent=2).encode()
    assert await check(pretty) == CheckedBatch([GOOD], [])
    assert refused(await check(b"{\n" + LINE)) == [(0, "not_json")]
    assert refused(await check(pretty.replace(b"click", b"share"))) == [(0, "event_unknown")]


REPEATED = b'{"timestamp":1,"user":"a","user":"b","event":"click"}'


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (REPEATED, "user"),
        (b'{"timestamp":2,"timestamp":1,"user":"u","event":"click"}', "timestamp"),
        (b'{"timestamp":1,"user":"u","event":"click","id":"i","id":"i"}', "id"),
        (b'{"timestamp":1,"user":"u","event":"click","id":"i","id":null}', "id"),
        (b'{"timestamp":1,"user":"u","\\u0075ser":"u","event":"click"}', "user"),
    ],
)
async def test_a_repeated_field_is_refused_and_named(line: bytes, field: str) -> None:
    for body in (line, b"[" + line + b"]", LINE + b"\n" + line + b"\n" + LINE, b"[%b,%b]" % (LINE, line)):
        (refusal,) = (await check(body)).refused
        assert (refusal.rejection.code, refusal.rejection.field) == ("field_repeated", field)


@pytest.mark.parametrize(
    "line",
    [
        b'{"timestamp":1,"user":"u","event":"click","id":null}',
        b'{"timestamp":1,"user":"\\"user\\":","event":"click"}',
        b'{"timestamp":1,"user":"user","event":"click","id":"event"}',
    ],
)
async def test_fields_that_are_given_once_are_accepted_however_they_are_written(line: bytes) -> None:
    assert (await check(line + b"\n" + LINE)).refused == []
    assert refused(await check(line + b"\n" + REPEATED)) == [(1, "field_repeated")]


UNKNOWN = b'{"timestamp":1,"user":"u","event":"click","host":{"name":"web-1","name":"web-2","n":1%b}}' % (b"0" * 30)


async def test_unknown_fields_are_refused_and_named_or_dropped_where_that_is_asked_for() -> None:
    assert refused(await check(UNKNOWN)) == [(0, "unknown_field")]
    for body in (UNKNOWN, b"[" + UNKNOWN + b"]", UNKNOWN.replace(b",", b",\n"), UNKNOWN + b"\n" + LINE):
        checked = await check_batch(body, 10_000, POLICY, ignore_unknown=True)
        assert checked.refused == []
        assert set(checked.accepted) == {GOOD}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (UNKNOWN.replace(b'"event":"click",', b""), "event_missing"),
        (UNKNOWN.replace(b"click", b"share"), "event_unknown"),
        (UNKNOWN.replace(b'"user"', b'"user":"a","user"'), "field_repeated"),
        (b"?", "not_json"),
    ],
)
async def test_where_unknown_fields_are_dropped_all_other_rules_stay(line: bytes, code: str) -> None:
    checked = await check_batch(line + b"\n" + UNKNOWN, 10_000, POLICY, ignore_unknown=True)
    assert refused(checked) == [(0, code)]
    assert checked.accepted == [GOOD]


async def test_an_element_that_is_no_utf8_is_refused_by_itself() -> None:
    assert refused(await check(b"[" + LINE + b',{"user":"\xff"}]')) == [(1, "not_json")]


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
    lines = b"\n".join(map(encode_action, actions))
    assert await check(written) == (await check(lines) if lines else CheckedBatch())


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line) | st.just(LINE), max_size=30))
async def test_each_line_is_judged_as_if_it_were_alone(lines: list[bytes]) -> None:
    body = b"\n".join([LINE, *lines])
    checked = await check(body)
    lines = [LINE, *lines]
    alone = [(number, parse_line(line)) for number, line in enumerate(lines) if line.strip(b" \t\r")]
    assert checked.accepted == [item for _, item in alone if isinstance(item, Action)]
    assert checked.refused == [(number, item) for number, item in alone if isinstance(item, Rejection)]


@pytest.mark.parametrize("size", [999, 1000, 1001, 2500])
async def test_numbers_go_on_where_the_next_portion_of_lines_begins(size: int) -> None:
    checked = await check(b"\n".join([LINE] * size + [b"?"]))
    assert len(checked.accepted) == size
    assert refused(checked) == [(size, "not_json")]


@pytest.mark.parametrize(
    ("lines", "portions"),
    [
        ([LINE] * 5000, 5),
        ([LINE.ljust(MAX_LINE_BYTES)] * 200, 6),
        ([b"{}"] * 1000, 10),
        ([b"{}" + LINE] * 5000, 50),
        ([b"{}".ljust(MAX_LINE_BYTES)] * 100, 25),
        ([REPEATED] * 1000, 10),
    ],
)
async def test_while_a_batch_is_judged_others_have_their_turn_oftener_the_more_work_it_is(
    lines: list[bytes], portions: int
) -> None:
    turns = Turns()
    await check(b"\n".join(lines))
    assert turns.taken() >= portions


async def test_the_first_refusals_are_kept_and_all_are_counted() -> None:
    checked = await check_batch(b"\n".join([b"?", LINE, b"{}"] * 1000), 10_000, POLICY, listed=5)
    assert len(checked.accepted) == 1000
    assert [line for line, _ in checked.refused] == [0, 2, 3, 5, 6]
    assert checked.codes == {"not_json": 1000, "timestamp_missing": 1000}


async def test_a_batch_has_as_many_lines_as_the_limit_and_one_more_is_refused_as_a_whole() -> None:
    lines = b"\n".join([LINE] * 5)
    assert len((await check(lines + b"\n", max_lines=5)).accepted) == 5
    assert len((await check(b"[" + lines.replace(b"\n", b",") + b"]", max_lines=5)).accepted) == 5
    with pytest.raises(RequestRefused) as by_lines:
        await check(lines + b"\n\n", max_lines=5)
    with pytest.raises(RequestRefused) as by_elements:
        await check(b"[" + lines.replace(b"\n", b",") + b",1]", max_lines=5)
    assert {(e.value.status, e.value.code) for e in (by_lines, by_elements)} == {(413, "too_many_lines")}


async def test_an_array_of_very_many_elements_is_refused_before_they_take_memory() -> None:
    with pytest.raises(RequestRefused) as error:
        await check(b"[" + b"1," * 10**6 + b"not even JSON", max_lines=10_000)
    assert error.value.code == "too_many_lines"


async def test_commas_in_texts_are_no_elements_up_to_32_a_line() -> None:
    def of_commas(count: int) -> bytes:
        return b'[{"timestamp":1,"event":"click","user":"%s"}]' % (b"," * (count - 2))

    assert len((await check(of_commas(32), max_lines=1)).accepted) == 1
    with pytest.raises(RequestRefused):
        await check(of_commas(33), max_lines=1)


async def test_the_longest_way_to_write_an_action_is_no_line_too_long() -> None:
    longest = Action(NOW, "😀" * MAX_USER, "impression", "😀" * MAX_ID)
    escaped = json.dumps(msgspec.to_builtins(longest)).encode()
    assert len(escaped) < MAX_LINE_BYTES
    assert await check(escaped.ljust(MAX_LINE_BYTES)) == CheckedBatch([longest], [])
    assert await check(b"[" + escaped + b"]") == CheckedBatch([longest], [])
    over_lines = escaped[:-1].ljust(MAX_LINE_BYTES - 1, b"\n") + b"}"
    assert await check(b"[" + over_lines + b"]") == CheckedBatch([longest], [])


async def test_a_line_that_is_longer_than_any_action_is_refused_by_itself() -> None:
    checked = await check(LINE + b"\n" + LINE.ljust(MAX_LINE_BYTES + 1) + b"\n" + LINE)
    assert checked.accepted == [GOOD, GOOD]
    assert refused(checked) == [(1, "line_too_long")]


@pytest.mark.parametrize("before", [0, 1, MAX_LINE_BYTES // 2 // (len(LINE) + 1), 300])
@pytest.mark.parametrize("after", [0, 1, 300])
async def test_a_line_too_long_is_found_wherever_it_lies_in_the_body(before: int, after: int) -> None:
    too_long = LINE[:-1].ljust(MAX_LINE_BYTES) + b"}"
    checked = await check(b"\n".join([LINE] * before + [too_long] + [LINE] * after))
    assert checked.accepted == [GOOD] * (before + after)
    assert refused(checked) == [(before, "line_too_long")]
