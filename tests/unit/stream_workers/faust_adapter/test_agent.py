import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.hour import END_OF_TIME_MS
from contract.log.record import Record
from stream_workers.counting.mailbox import Received
from stream_workers.faust_adapter.agent import AgentMailbox, received_from

HEADERS = [("trace", b"x"), ("partitions", b"8"), ("span", b"y")]


def event(
    offset: int = 7, *, headers: list[tuple[str, bytes]] | None = None, seconds: float = 1_764_000_000.123
) -> SimpleNamespace:
    """An event as Faust delivers it: it turns the broker's ms into seconds."""
    return SimpleNamespace(
        message=SimpleNamespace(
            partition=3, offset=offset, timestamp=seconds, value=b"value", headers=headers, generation_id=5
        )
    )


def test_a_record_comes_out_of_an_event_as_the_log_holds_it() -> None:
    assert received_from(event(headers=HEADERS)) == Received(5, Record(3, 7, 1_764_000_000_123, b"value", 8))


@pytest.mark.parametrize("headers", [None, [], [("trace", b"x")], [("partitions", b"eight")]])
def test_a_record_without_a_readable_header_names_no_partition_count(headers: list[tuple[str, bytes]] | None) -> None:
    assert received_from(event(headers=headers)).record.partitions == 0


@given(st.integers(0, END_OF_TIME_MS))
def test_a_timestamp_in_ms_survives_fausts_seconds(timestamp: int) -> None:
    assert received_from(event(seconds=timestamp / 1000.0)).record.timestamp == timestamp


async def test_the_mailbox_is_the_agents_queue() -> None:
    queue: asyncio.Queue[SimpleNamespace] = asyncio.Queue()
    mailbox = AgentMailbox(queue, received_from)
    assert mailbox.empty()
    for offset in (7, 8):
        queue.put_nowait(event(offset))
    assert not mailbox.empty()
    assert mailbox.get_nowait().record.offset == 7
    assert (await mailbox.get()).record.offset == 8
    assert mailbox.empty()
