"""A look at the log's ends where one broker of several is down."""

from datetime import timedelta

import pytest

from aggregator.end_offsets.kafka import KafkaEndOffsets
from contract.errors import LogUnavailable
from kafka_log import questions
from support.fixtures.failover_admin import FailoverAdmin


async def test_after_a_look_without_an_answer_the_next_one_asks_whichever_broker_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = FailoverAdmin()
    monkeypatch.setattr(questions, "AdminClient", lambda *_, **__: admin)
    end_offsets = KafkaEndOffsets("a,b,c", "actions", timedelta(seconds=1))
    with pytest.raises(LogUnavailable):
        await end_offsets.read()
    assert (await end_offsets.read()).log == "an-id"
    assert (await end_offsets.read()).log == "an-id"
    assert admin.asked == ["description", "metadata of actions", *["description"] * 4]
