import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from contract.log.action import MAX_ID, MAX_USER, Action
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.segment.event_rules import EventRules
from ingest_api.decoding.segment.mapper import CallReader, CheckedCalls
from support.fixtures.ingest import Turns

NOW = 1_795_780_800_000
"""2026-11-27T12:00:00Z."""
HOUR = 3_600_000
TIME = "2026-11-27T12:00:00.000Z"
EVENTS = ("page=impression", "screen=impression", "track:Product *=click", "track:Shared=share")
TRACK = {"type": "track", "event": "Product Clicked", "userId": "u", "messageId": "m", "timestamp": TIME}


def reader(max_calls: int = 10_000) -> CallReader:
    policy = AcceptancePolicy(("click", "impression"), 0, timedelta(hours=1), lambda: NOW)
    return CallReader(EventRules(EVENTS), policy, max_calls)


async def read(payload: object, call_type: str | None = None) -> CheckedCalls:
    return await reader().read(json.dumps(payload).encode(), call_type, NOW + 7)


async def outcomes(*calls: object, **envelope: Any) -> list[Action | str]:  # noqa: ANN401 - as in JSON
    """What a batch becomes: actions, then codes."""
    checked = await read({"batch": calls, **envelope})
    return [*checked.events.accepted, *(refusal.rejection.code for refusal in checked.events.refused)]


async def outcome(**changes: Any) -> Action | str:  # noqa: ANN401 - as in JSON
    (only,) = await outcomes({**TRACK, **changes})
    return only


async def test_a_call_is_the_action_of_its_user_time_id_and_event() -> None:
    assert await outcome() == Action(NOW, "u", "click", "m")


@pytest.mark.parametrize(
    ("call", "event"),
    [
        ({"type": "track", "event": "Product Clicked"}, "click"),
        ({"type": "track", "event": "Product Shown", "name": "Other"}, "click"),
        ({"type": "page"}, "impression"),
        ({"type": "page", "name": "Home", "event": "Other"}, "impression"),
        ({"type": "screen", "name": None}, "impression"),
    ],
)
async def test_its_type_and_what_it_is_called_say_which_event_it_is(call: dict[str, Any], event: str) -> None:
    assert await outcomes({"userId": "u", "timestamp": TIME, **call}) == [Action(NOW, "u", event)]


async def test_what_no_rule_matches_is_no_action_and_counted_by_type() -> None:
    types = ["track", "identify", "identify", "group", "alias", "Track", "made up", None, 7, ["track"]]
    checked = await read({"batch": [{"userId": "u", "timestamp": TIME, "type": one} for one in types]})
    assert checked.events.accepted == []
    assert checked.events.refused == []
    assert checked.unmapped == Counter(identify=2, track=1, group=1, alias=1, other=5)


@pytest.mark.parametrize("event", [None, 7, ["Product Clicked"], {}])
async def test_a_name_that_is_no_text_is_no_name(event: object) -> None:
    checked = await read({"batch": [{**TRACK, "event": event}]})
    assert checked.unmapped == Counter(track=1)


async def test_what_is_no_event_is_not_judged_further() -> None:
    checked = await read({"batch": [{"type": "identify", "userId": "", "timestamp": "yesterday"}]})
    assert checked.events.refused == []


@pytest.mark.parametrize(
    ("who", "user"),
    [
        ({"userId": "u", "anonymousId": "a"}, "u"),
        ({"userId": None, "anonymousId": "a"}, "a"),
        ({"userId": "", "anonymousId": "a"}, "a"),
        ({"anonymousId": "a"}, "a"),
        ({"userId": 42}, "42"),
        ({"userId": 0}, "0"),
        ({"userId": 2**64}, "18446744073709551616"),
        ({"anonymousId": 7}, "7"),
        ({"userId": "ü" * MAX_USER}, "ü" * MAX_USER),
    ],
)
async def test_the_user_is_the_one_that_is_known_else_the_anonymous_one(who: dict[str, Any], user: str) -> None:
    call = {name: value for name, value in TRACK.items() if name != "userId"}
    assert await outcomes({**call, **who}) == [Action(NOW, user, "click", "m")]


@pytest.mark.parametrize(
    ("times", "timestamp"),
    [
        ({"timestamp": TIME, "originalTimestamp": "2020-01-01T00:00:00Z"}, NOW),
        ({"timestamp": None, "originalTimestamp": TIME, "sentAt": "2020-01-01T00:00:00Z"}, NOW),
        ({"originalTimestamp": TIME, "sentAt": "2020-01-01T00:00:00Z"}, NOW),
        ({"timestamp": "", "originalTimestamp": "", "sentAt": TIME}, NOW),
        ({"timestamp": "2026-11-27T13:00:00.123456+01:00"}, NOW + 123),
        ({"timestamp": NOW + 5}, NOW + 5),
        ({}, NOW - 1),
    ],
)
async def test_the_time_is_the_first_that_is_given_the_batch_s_own_last(
    times: Mapping[str, Any], timestamp: int
) -> None:
    call = {name: value for name, value in TRACK.items() if name != "timestamp"}
    assert await outcomes({**call, **times}, sentAt=NOW - 1) == [Action(timestamp, "u", "click", "m")]


@pytest.mark.parametrize("envelope", [{}, {"sentAt": None}, {"sentAt": ""}])
async def test_what_names_no_time_at_all_happens_when_it_arrives(envelope: dict[str, Any]) -> None:
    call = {name: value for name, value in TRACK.items() if name != "timestamp"}
    assert await outcomes(call, **envelope) == [Action(NOW + 7, "u", "click", "m")]


@pytest.mark.parametrize(("given", "kept"), [("m" * MAX_ID, "m" * MAX_ID), (7, "7"), (None, None), ("", None)])
async def test_the_id_is_the_message_s(given: object, kept: str | None) -> None:
    assert await outcome(messageId=given) == Action(NOW, "u", "click", kept)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userId": None}, "user_missing"),
        ({"userId": True}, "user_not_text"),
        ({"userId": 1.5}, "user_not_text"),
        ({"userId": {"id": 1}}, "user_not_text"),
        ({"userId": "u" * (MAX_USER + 1)}, "user_too_long"),
        ({"userId": "\ud83d"}, "user_not_unicode"),
        ({"messageId": "m" * (MAX_ID + 1)}, "id_too_long"),
        ({"messageId": ["m"]}, "id_not_text"),
        ({"timestamp": "yesterday"}, "timestamp_malformed"),
        ({"timestamp": False}, "timestamp_malformed"),
        ({"timestamp": "1960-01-01T00:00:00Z"}, "timestamp_negative"),
        ({"timestamp": "2026-11-27T13:00:00.001Z"}, "timestamp_in_future"),
        ({"event": "Shared"}, "event_unknown"),
    ],
)
async def test_what_breaks_a_rule_is_rejected_by_itself(changes: dict[str, Any], code: str) -> None:
    good = Action(NOW, "u", "click", "m")
    assert await outcomes(TRACK, {**TRACK, **changes}, TRACK) == [good, good, code]


async def test_a_rejection_names_the_call_s_place_and_the_field_as_it_was_sent() -> None:
    checked = await read({"batch": [{"type": "group"}, TRACK, 7, {**TRACK, "timestamp": None, "sentAt": "x"}]})
    assert [(one.line, one.rejection.field) for one in checked.events.refused] == [(2, None), (3, "sentAt")]


async def test_a_single_call_is_of_the_type_that_it_was_sent_as() -> None:
    checked = await read({"type": "identify", "userId": "u", "timestamp": TIME}, "page")
    assert checked.events.accepted == [Action(NOW, "u", "impression")]
    checked = await read({"type": "page", "userId": "u", "timestamp": TIME}, "identify")
    assert checked.unmapped == Counter(identify=1)


async def test_large_batches_give_others_their_turn_and_keep_each_call_s_place() -> None:
    calls = [TRACK if number % 2 else {**TRACK, "userId": None} for number in range(1000)]
    turns = Turns()
    checked = await read({"batch": calls})
    assert turns.taken() >= 10
    assert len(checked.events.accepted) == 500
    assert checked.events.codes == {"user_missing": 500}
    assert [refusal.line for refusal in checked.events.refused] == list(range(0, 200, 2))
