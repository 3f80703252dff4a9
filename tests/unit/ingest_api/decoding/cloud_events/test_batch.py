from datetime import timedelta

import pytest

from contract.log.action import Action
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.cloud_events.batch import check_events
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper
from support.fixtures.ingest import Turns

NOW = 1_800_000_000_000
NOON = 1_795_780_800_000
ACCEPTED = ("click", "impression")
POLICY = AcceptancePolicy(ACCEPTED, 0, timedelta(hours=1), lambda: NOW)
MAPPER = CloudEventMapper(ACCEPTED, lambda _: None)
EVENT = (
    b'{"specversion":"1.0","id":"1","source":"/s","type":"click","subject":"u","time":"2026-11-27T12:00:00Z","data":%b}'
)


async def test_a_bad_event_never_refuses_the_good_ones_and_is_named_by_its_place_from_0() -> None:
    good = EVENT % b"{}"
    checked = await check_events([good, b"7", good, good.replace(b"click", b"share"), good], MAPPER, POLICY, NOW)
    assert checked.accepted == [Action(NOON, "u", "click", "/s 1")] * 3
    assert [(place, rejection.code) for place, rejection in checked.refused] == [
        (1, "not_object"),
        (3, "event_unknown"),
    ]


@pytest.mark.parametrize(("count", "data"), [(5_000, b"{}"), (50, b'"%b"' % (b"x" * 60_000))])
async def test_while_many_or_large_events_are_judged_others_have_their_turn(count: int, data: bytes) -> None:
    turns = Turns()
    checked = await check_events([EVENT % data] * count, MAPPER, POLICY, NOW)
    assert len(checked.accepted) == count
    assert turns.taken() >= 25
