"""The end offsets where one broker of several is down."""

from datetime import timedelta

import pytest

from aggregator.end_offsets.kafka import KafkaEndOffsets
from contract.errors import LogUnavailable
from kafka_log import questions
from kafka_log.settings import KafkaSettings
from support.fixtures.failover_admin import FailoverAdmin


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> FailoverAdmin:
    admin = FailoverAdmin()
    monkeypatch.setattr(questions, "AdminClient", lambda *_, **__: admin)
    return admin


async def test_after_a_reading_without_an_answer_the_next_one_asks_whichever_broker_answers(
    admin: FailoverAdmin,
) -> None:
    end_offsets = KafkaEndOffsets(KafkaSettings(kafka_bootstrap="a,b,c"), "actions", timedelta(seconds=1))
    with pytest.raises(LogUnavailable):
        await end_offsets.read()
    assert (await end_offsets.read()).log == "an-id"
    assert (await end_offsets.read()).log == "an-id"
    assert admin.asked == ["description", "metadata of actions", *["description"] * 4]


async def test_one_request_may_take_all_the_time_that_is_set(admin: FailoverAdmin) -> None:
    admin.misled = False
    await KafkaEndOffsets(KafkaSettings(kafka_bootstrap="a,b,c"), "actions", timedelta(seconds=7)).read()
    assert admin.bounds == [7, 7]
