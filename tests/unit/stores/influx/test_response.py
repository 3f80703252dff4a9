"""What each answer to a write or a query means. The texts are those that 1.8.10 and 2.7.12 gave."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contract.errors import StoreConflict, StoreError, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, RawActions, WindowPoint
from stores.influx.response import stream_answer
from stores.influx.setup import create_buckets
from stores.influx.store import InfluxStore
from support.fixtures.influx_stub import CUT, STORED, Respond, Stub, answer, influx_stub, raw, silence

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
NOW = 494_902 * HOUR_MS
PROGRESS = [ProgressPoint(SOURCE, 7, Progress())]
ACTIONS = [RawActions(SOURCE, 0, [Action(NOW - number, f"user-{number}", "click") for number in range(8)])]

DROPPED_1 = {"error": "partial write: points beyond retention policy dropped=3"}
DROPPED_2 = {
    "code": "unprocessable entity",
    "message": "failure writing points to database: partial write: dropped 3 points outside retention policy of"
    " duration 720h0m0s - oldest point actions,event=click,lap=0 at 1970-01-01T00:00:00.000000005Z dropped because it"
    " violates a Retention Policy Lower Bound at 2026-10-25T11:49:22.019955247Z, newest point actions,event=click,lap=0"
    " at 1970-01-01T00:00:00.000000007Z dropped because it violates a Retention Policy Lower Bound at"
    " 2026-10-25T11:49:22.019955247Z dropped=3 for database: 568221a060a606e2 for retention policy: autogen",
}
UNPARSABLE_1 = {
    "error": "partial write: unable to parse 'actions,log=a user= 1795520758774344931': missing field value dropped=0"
}
UNPARSABLE_2 = {
    "code": "invalid",
    "message": "unable to parse 'actions,log=a user= 1795520962012654109': missing field value",
}
TYPES_1 = {
    "error": 'partial write: field type conflict: input field "user" on measurement "actions" is type float, already'
    " exists as type string dropped=1"
}
TYPES_2 = {
    "code": "unprocessable entity",
    "message": 'failure writing points to database: partial write: field type conflict: input field "user" on'
    ' measurement "actions" is type float, already exists as type string dropped=1',
}
TOO_LONG_2 = {
    "code": "unprocessable entity",
    "message": 'failure writing points to database: partial write: input field "user" on measurement "actions" is too'
    " long, 1100000 > 1048576 dropped=1",
}
TOO_LARGE_1 = {"error": "Request Entity Too Large"}


def says(status: int, body: dict[str, str]) -> Respond:
    return answer(status, json.dumps(body))


@asynccontextmanager
async def store_that_gets(*answers: Respond, **changes: object) -> AsyncIterator[tuple[InfluxStore, Stub]]:
    async with influx_stub(*answers) as stub:
        store = InfluxStore(stub.settings(**changes), lambda: NOW)
        try:
            yield store, stub
        finally:
            await store.close()


async def error_of_write(*answers: Respond, **changes: object) -> StoreError:
    async with store_that_gets(*answers, **changes) as (store, _):
        with pytest.raises(StoreError) as raised:
            await store.write_progress(PROGRESS)
    return raised.value


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"error": "authorization failed"}, "unauthorized"),
        (401, {"code": "unauthorized", "message": "unauthorized access"}, "unauthorized"),
        (403, {"error": '"reader" user is not authorized to write to database "hourly"'}, "forbidden"),
        (404, {"error": 'database not found: "hourly"'}, "not_found"),
        (404, {"code": "not found", "message": 'bucket "hourly/autogen" not found'}, "not_found"),
        (429, {"code": "too many requests", "message": "slow down"}, "overloaded"),
        (500, {"error": "timeout"}, "server_error"),
        (500, {"error": "retention policy not found: autogen"}, "server_error"),
        (503, {"code": "unavailable", "message": "shutting down"}, "server_error"),
        (400, {"error": "partial write: shard 7 is pending deletion dropped=1"}, "refused"),
        (400, {"error": "partial write: max-values-per-tag limit exceeded (1/1): ... dropped=1"}, "refused"),
        (400, {"error": "something that nobody has seen yet"}, "refused"),
        (400, DROPPED_1, "refused"),
        (422, DROPPED_2, "refused"),
    ],
)
async def test_a_refusal_that_may_pass_is_tried_again(status: int, body: dict[str, str], reason: str) -> None:
    error = await error_of_write(says(status, body))
    assert isinstance(error, StoreUnavailable)
    assert error.reason == reason
    assert f"1 lines for hourly/autogen: {status} {next(reversed(body.values()))}" in str(error)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (answer(502, "<html>Bad Gateway</html>"), "server_error"),
        (answer(200), "refused"),
        (answer(202), "refused"),
        (answer(302, "", "Location: /elsewhere"), "refused"),
        (answer(307, "", "Location: /elsewhere"), "refused"),
        (CUT, "cut"),
        (raw(b"HTTP/1.1 20"), "cut"),
        (raw(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 100\r\n\r\n{"), "cut"),
        (raw(b"no HTTP at all\r\n\r\n"), "cut"),
    ],
)
async def test_an_answer_that_promises_nothing_is_no_success(respond: Respond, reason: str) -> None:
    error = await error_of_write(respond)
    assert isinstance(error, StoreUnavailable)
    assert error.reason == reason


async def test_silence_ends_with_the_timeout() -> None:
    error = await error_of_write(silence, influx_timeout="PT0.2S")
    assert isinstance(error, StoreUnavailable)
    assert (error.reason, str(error)) == ("timeout", "no answer: it took too long")


async def test_nobody_listening_is_tried_again() -> None:
    async with influx_stub(STORED) as stub:
        settings = stub.settings()
    store = InfluxStore(settings, lambda: NOW)
    with pytest.raises(StoreUnavailable) as raised:
        await store.write_progress(PROGRESS)
    await store.close()
    assert raised.value.reason == "connect"


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, UNPARSABLE_1), (400, UNPARSABLE_2), (400, TYPES_1), (422, TYPES_2), (422, TOO_LONG_2)],
)
async def test_a_refusal_of_our_own_lines_is_a_conflict_with_the_evidence(status: int, body: dict[str, str]) -> None:
    error = await error_of_write(says(status, body))
    assert isinstance(error, StoreConflict)
    assert next(reversed(body.values())) in str(error)
    assert "progress,log=OldrkDJ2R4WmwCUXOqKyRw,partition=3" in str(error)


@pytest.mark.parametrize(("status", "body"), [(400, DROPPED_1), (422, DROPPED_2)])
async def test_raw_actions_dropped_for_their_age_are_a_success_once_the_others_are_acknowledged(
    status: int, body: dict[str, str]
) -> None:
    async with store_that_gets(says(status, body), STORED) as (store, stub):
        await store.write_actions(ACTIONS)
    first, second = stub.requests
    assert len(first.lines) == 8
    assert sorted(second.lines) == sorted(first.lines[:5])


async def test_all_raw_actions_dropped_for_their_age_are_a_success() -> None:
    all_dropped = {"error": "partial write: points beyond retention policy dropped=8"}
    async with store_that_gets(says(400, all_dropped)) as (store, stub):
        await store.write_actions(ACTIONS)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"), [(400, UNPARSABLE_1, StoreConflict), (500, {"error": "timeout"}, StoreUnavailable)]
)
async def test_what_a_drop_for_age_hides_is_found(status: int, body: dict[str, str], error: type[StoreError]) -> None:
    async with store_that_gets(says(400, DROPPED_1), says(status, body)) as (store, _):
        with pytest.raises(error):
            await store.write_actions(ACTIONS)


async def test_a_request_too_large_is_cut_until_every_line_is_stored() -> None:
    def refuse_more_than_two(request: object, writer: object) -> bool:
        stored = len(request.lines) <= 2  # type: ignore[attr-defined] # a Request
        return (STORED if stored else says(413, TOO_LARGE_1))(request, writer)  # type: ignore[arg-type] # likewise

    async with store_that_gets(refuse_more_than_two) as (store, stub):
        await store.write_actions(ACTIONS)
    stored = [line for request in stub.requests if len(request.lines) <= 2 for line in request.lines]
    assert sorted(stored) == sorted(stub.requests[0].lines)
    assert len(stored) == 8


async def test_a_line_that_is_too_large_by_itself_is_a_conflict() -> None:
    error = await error_of_write(says(413, TOO_LARGE_1))
    assert isinstance(error, StoreConflict)
    assert error.reason == "too_large"


async def test_a_failed_write_is_not_repeated_by_the_store_itself() -> None:
    async with store_that_gets(says(503, {"error": "later"})) as (store, stub):
        with pytest.raises(StoreUnavailable):
            await store.write_actions(ACTIONS)
    assert len(stub.requests) == 1


async def test_a_store_is_usable_again_after_a_failure() -> None:
    async with store_that_gets(CUT, says(500, {"error": "timeout"}), STORED) as (store, _):
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await store.write_progress(PROGRESS)
        await store.write_progress(PROGRESS)


async def streamed(store: InfluxStore) -> list[WindowPoint]:
    return [point async for points in store.stream_windows(0, HOUR_MS, SOURCE) for point in points]


WHOLE = '{"results":[{"statement_id":0}]}\n'


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (answer(200, '{"results":[{"statement_id":0,"error":"database not found: hourly"}]}'), "query_failed"),
        (answer(200, '{"error":"unexpected"}'), "query_failed"),
        (answer(200, '{"results":[{"statement_id":0,"partial":true}]}'), "answer_cut"),
        (answer(200, '{"results":[{"series":[{"tags":{"log":"a","partition":"0"},"partial":true}]}]}'), "answer_cut"),
        (answer(200, '{"results":[]}'), "answer_cut"),
        (answer(200, ""), "answer_cut"),
        (answer(200, '{"results":[{"statement_id":0'), "answer_unreadable"),
        (answer(200, "<html>a proxy</html>"), "answer_unreadable"),
        (answer(401, '{"code":"unauthorized","message":"Unauthorized"}'), "unauthorized"),
        (answer(400, '{"code":"invalid","message":"failed to parse query: found X"}'), "refused"),
        (answer(503, "busy"), "server_error"),
        (answer(302, "", "Location: /elsewhere"), "refused"),
        (CUT, "cut"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + WHOLE.encode()), "cut"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n21\r\n" + WHOLE.encode() + b"\r\n"), "cut"),
    ],
)
async def test_no_cut_or_failed_answer_is_taken_for_an_empty_one(respond: Respond, reason: str) -> None:
    async with store_that_gets(respond) as (store, _):
        for call in (store.read_progress, lambda: store.read_windows(0), store.ping, lambda: streamed(store)):
            with pytest.raises(StoreUnavailable) as raised:
                await call()
            assert raised.value.reason == reason


async def test_an_answer_that_never_ends_ends_with_the_timeout() -> None:
    def drip(_: object, writer: object) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")  # type: ignore[attr-defined] # a StreamWriter
        return True

    async with store_that_gets(drip, influx_timeout="PT0.2S") as (store, _):
        with pytest.raises(StoreUnavailable) as raised:
            await store.read_windows(0)
        with pytest.raises(StoreUnavailable) as raised_again:
            await streamed(store)
    assert {raised.value.reason, raised_again.value.reason} == {"timeout"}


@pytest.mark.parametrize("length", range(1, 90))
async def test_a_streamed_answer_may_come_in_any_pieces(length: int) -> None:
    first = b'{"results":[{"statement_id":0,"series":[{"values":[[1,"a"]],"partial":true}],"partial":true}]}\n'
    last = b'{"results":[{"statement_id":0,"series":[{"values":[[2,"b"],[3,"c"]]}]}]}\n'

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(first + last), length):
            yield (first + last)[at : at + length]

    found = [row async for series in stream_answer(pieces()) for one in series for row in one.values]

    assert found == [[1, "a"], [2, "b"], [3, "c"]]


async def test_a_streamed_answer_without_its_last_chunk_is_told_as_cut() -> None:
    text = '{"results":[{"series":[{"tags":{"log":"a","partition":"0"},"partial":true}],"partial":true}]}\n'
    async with store_that_gets(answer(200, text)) as (store, _):
        with pytest.raises(StoreUnavailable) as raised:
            await streamed(store)
    assert raised.value.reason == "answer_cut"


async def test_creating_buckets_says_why_it_cannot() -> None:
    async with influx_stub(answer(401, '{"code":"unauthorized","message":"unauthorized access"}')) as stub:
        with pytest.raises(StoreUnavailable, match="401 unauthorized access"):
            await create_buckets(stub.settings())


async def test_one_bucket_for_both_is_a_conflict() -> None:
    async with influx_stub(STORED) as stub:
        with pytest.raises(StoreConflict, match="actions/autogen"):
            await create_buckets(stub.settings(hourly_bucket="actions/autogen"))
    assert stub.requests == []
