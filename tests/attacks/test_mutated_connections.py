"""Thousands of requests that are almost right."""

import asyncio
import gzip
import json
from collections import Counter

from contract.log.action import Action, parse_line
from support.attacks.load import NOW
from support.attacks.mutation import WHOLE, Answered, connect_again_and_again
from support.attacks.target import Target
from support.pipeline.eventually import eventually
from support.services.kafka_log import read_log

CONNECTIONS = 3_000
WHOLE_EVERY = 10


def line(number: int, place: int = 0) -> bytes:
    return b'{"timestamp":%d,"user":"u%d","event":"click","id":"%d-%d"}\n' % (NOW, number % 7, number, place)


def post(path: bytes, body: bytes, *headers: bytes) -> bytes:
    head = b"".join(header + b"\r\n" for header in (b"Host: localhost", b"Content-Length: %d" % len(body), *headers))
    return b"POST " + path + b" HTTP/1.1\r\n" + head + b"\r\n" + body


def single(number: int) -> bytes:
    return post(b"/analytics?timestamp=%d&user=u%d&event=click&id=%d-0" % (NOW, number % 7, number), b"")


def form(number: int) -> bytes:
    body = b"timestamp=%d&user=u&event=click&id=%d-0" % (NOW, number)
    return post(b"/analytics", body, b"Content-Type: application/x-www-form-urlencoded")


def batch(number: int) -> bytes:
    return post(b"/v1/actions", b"".join(line(number, place) for place in range(5)))


def compressed(number: int) -> bytes:
    return post(b"/v1/actions", gzip.compress(line(number)), b"Content-Encoding: gzip")


def chunked(number: int) -> bytes:
    text = line(number)
    return (
        b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: t\r\n\r\n" % (text[:5], len(text) - 5, text[5:])
    )


def cloud_event(number: int) -> bytes:
    event = {"specversion": "1.0", "id": f"{number}-0", "source": "s", "type": "click", "subject": "u"}
    body = json.dumps({**event, "time": "2023-11-14T22:13:20Z"}).encode()
    return post(b"/v1/events", body, b"Content-Type: application/cloudevents+json")


def call(number: int) -> bytes:
    sent = {"type": "page", "userId": "u", "messageId": f"{number}-0", "timestamp": "2023-11-14T22:13:20Z"}
    return post(b"/v1/batch", json.dumps({"batch": [sent]}).encode())


def pixel(number: int) -> bytes:
    return b"GET /v1/pixel.gif?timestamp=%d&user=u&event=click&id=%d-0 HTTP/1.1\r\nHost: localhost\r\n\r\n" % (
        NOW,
        number,
    )


def upgrade(number: int) -> bytes:
    return post(b"/v1/actions", line(number), b"Connection: Upgrade", b"Upgrade: h2c", b"Expect: 100-continue")


def test_the_ingest_api_takes_what_is_right_refuses_the_rest_and_counts_exactly(
    ingest: Target, kafka_bootstrap: str, topic: str
) -> None:
    ways = [single, form, batch, compressed, chunked, cloud_event, call, pixel, upgrade]
    answers = connect_again_and_again(ingest.port, CONNECTIONS, ways, WHOLE_EVERY)
    assert_only_refusals(answers, ingest)
    while ingest.metric("collector_ingest_actions_in_flight"):
        pass
    lines = [text for record in read_log(kafka_bootstrap, topic) for text in record.value.splitlines()]
    actions = [action for action in map(parse_line, lines) if isinstance(action, Action)]
    assert len(actions) == len(lines) == ingest.metric("collector_ingest_actions_accepted_total")
    # That of a CloudEvent stands behind its source.
    ids = Counter((action.id or "").rpartition(" ")[2] for action in actions)
    for answer in answers:
        if answer.is_whole:
            way = ways[answer.number // WHOLE_EVERY % len(ways)]
            places = range(5 if way is batch else 1)
            assert {ids[f"{answer.number + WHOLE}-{place}"] for place in places} == {1}, way


def hour(_: int) -> bytes:
    return b"GET /v1/hours/2023-11-14T22 HTTP/1.1\r\nHost: localhost\r\nCache-Control: no-cache\r\n\r\n"


def classic(_: int) -> bytes:
    return b"GET /analytics?timestamp=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % NOW


def hours(_: int) -> bytes:
    return b"GET /v1/hours?from=2023-11-14T20&to=2023-11-15T02 HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n"


def test_the_aggregator_refuses_what_is_not_right_and_answers_as_before(aggregator: Target) -> None:
    before = json.loads(aggregator.ask("GET", "/v1/hours/2023-11-14T22").body)
    answers = connect_again_and_again(aggregator.port, CONNECTIONS, [hour, classic, hours], WHOLE_EVERY)
    assert_only_refusals(answers, aggregator)
    after = json.loads(aggregator.ask("GET", "/v1/hours/2023-11-14T22").body)
    assert {**after, "complete_through": None} == {**before, "complete_through": None}


def page(number: int) -> bytes:
    return b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"metrics", b"healthz", b"readyz")[number % 3]


async def test_a_workers_pages_refuse_what_is_not_right_and_it_counts_on(
    worker: Target, ingest: Target, aggregator: Target
) -> None:
    async def counted(expected: int) -> None:
        def told() -> bool:
            found: int = json.loads(aggregator.ask("GET", "/v1/hours/2023-11-14T22").body)["clicks"]
            return found == expected

        await eventually(told)

    ingest.ask("POST", "/v1/actions", b"".join(map(line, range(100))))
    await counted(100)
    answers = await asyncio.to_thread(connect_again_and_again, worker.port, CONNECTIONS, [page], WHOLE_EVERY)
    assert_only_refusals(answers, worker)
    ingest.ask("POST", "/v1/actions", b"".join(map(line, range(100, 150))))
    await counted(150)


def assert_only_refusals(answers: list[Answered], target: Target) -> None:
    statuses = Counter(status for answer in answers for status in answer.statuses)
    assert [status for status in statuses if status >= 500 and status != 503] == []
    assert statuses[400] > 100
    assert "Traceback" not in target.logged()
    assert [a for a in answers if a.is_whole and a.statuses[-1] not in (200, 204)] == []
    assert target.ask("GET", "/healthz").status == 200
