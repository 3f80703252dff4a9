import json
from collections.abc import Iterator

import httpx
import pytest

from collector.reading.live import Listener, Seen

HOUR = {
    "hour": "2026-11-24T09:00:00Z",
    "unique_users": 4_321,
    "clicks": 3,
    "impressions": 12,
    "complete_through": None,
    "actions_per_second": 1.5,
}


def event(data: str, kind: str = "hour") -> str:
    return f"event: {kind}\ndata: {data}\n\n"


def seen_at_each_connection(*answers: str) -> list[Seen]:
    """What is known whenever it connects, once each of the answers was told."""
    found: list[Seen] = []

    def answer(_: httpx.Request) -> httpx.Response:
        found.append(listener.seen)
        if len(found) > len(answers):
            listener.end()
            return httpx.Response(204)
        return httpx.Response(200, text=answers[len(found) - 1])

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://aggregator") as client:
        listener = Listener(client, pause=0)
        listener.listen()
    return found


@pytest.mark.parametrize(
    "told",
    [
        event("<html>"),
        event("[]"),
        event("{}"),
        event("null"),
        event('{"x":' + "[" * 100_000),
        event(json.dumps(HOUR | {"hour": "now"})),
        event(json.dumps(HOUR | {"hour": "2026-11-24"})),
        event(json.dumps(HOUR | {"hour": "9999-12-31T23:00:00Z"})),
        event(json.dumps(HOUR | {"complete_through": "0001-01-01T00:00:00Z"})),
        event(json.dumps(HOUR | {"clicks": "\x1b[2J"})),
        event(json.dumps(HOUR | {"unique_users": None})),
        event(json.dumps(HOUR | {"actions_per_second": "many"})),
        event("[]", "unavailable"),
        event('{"detail":1}', "unavailable"),
    ],
)
def test_an_event_that_is_not_understood_is_told_as_trouble_and_the_connection_made_again(told: str) -> None:
    first, second, third = seen_at_each_connection(told + event(json.dumps(HOUR)), event(json.dumps(HOUR)))

    assert first == Seen()
    assert second.hour is None
    assert second.trouble is not None
    assert second.trouble.startswith("what was told is not understood: ")
    assert second.trouble.isprintable()
    assert third.hour is not None
    assert third.hour.unique_users == 4_321


def test_what_was_known_stays_beside_the_trouble() -> None:
    _, second = seen_at_each_connection(event(json.dumps(HOUR)) + event("{}"))

    assert second.hour is not None
    assert second.hour.clicks == 3
    assert second.trouble is not None


@pytest.mark.parametrize("told", [event("{}", "\x1b[2J"), event('{"detail":"\\u001b[2J"}', "unavailable")])
def test_words_of_a_server_do_not_command_the_terminal(told: str) -> None:
    trouble: list[str | None] = []

    def pieces() -> Iterator[bytes]:
        yield told.encode()
        trouble.append(listener.seen.trouble)
        listener.end()

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=pieces()))
    with httpx.Client(transport=transport, base_url="http://aggregator") as client:
        listener = Listener(client, pause=0)
        listener.listen()

    assert trouble == ["\\u001b[2J"]
