"""200,000 actions over 48 hours, singles and ids among them, against an oracle."""

import httpx

from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import actions, send, send_singles


async def test_every_hour_of_200_000_actions_over_48_hours_is_right(
    pipeline: Pipeline, http: httpx.AsyncClient, now: int
) -> None:
    for _ in range(2):
        pipeline.start_worker()
    pipeline.wait_until_ready()
    made = actions(1, 200_000, now=now, hours=47, users=20_000)

    await send(http, pipeline.ingest_url, made)
    await until_caught_up(http, pipeline.aggregator_url)

    expected = count(made)
    assert len(expected) == 48
    assert await differences(http, pipeline.aggregator_url, expected) == {}


async def test_an_action_sent_again_with_its_id_counts_once(
    pipeline: Pipeline, http: httpx.AsyncClient, now: int
) -> None:
    pipeline.start_worker()
    pipeline.wait_until_ready()
    made = actions(2, 5_000, now=now, hours=47, users=500, with_ids=True)

    for _ in range(3):
        await send(http, pipeline.ingest_url, made)
    await until_caught_up(http, pipeline.aggregator_url)

    assert await differences(http, pipeline.aggregator_url, count(made)) == {}


async def test_single_posts_count_as_batches_do(pipeline: Pipeline, http: httpx.AsyncClient, now: int) -> None:
    pipeline.start_worker()
    pipeline.wait_until_ready()
    made = actions(3, 1_000, now=now, hours=5, users=50)

    answers = await send_singles(http, pipeline.ingest_url, made)
    await until_caught_up(http, pipeline.aggregator_url)

    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    assert await differences(http, pipeline.aggregator_url, count(made)) == {}
