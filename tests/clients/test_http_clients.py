"""HTTP as many clients speak it, at both doors: what a client says was taken is what is counted."""

import asyncio
import gzip
import json
import re
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.clients.doors import DOORS, Doors
from support.clients.http_clients import (
    ClientFailed,
    HttpClient,
    Sending,
    ab,
    ab_keeping_connections,
    curl,
    h2load,
    h2load_with_http1,
    hey,
    jdk,
    siege,
    wrk,
    wrk_pipelining,
)
from support.end_to_end.pipeline import Pipeline

pytestmark = pytest.mark.clients

TIMES = 100
LARGE = 9_999
"""Lines of a batch that is larger than a MB: curl asks whether it may send that."""
JSON, NDJSON = (("Content-Type", "application/json"),), (("Content-Type", "application/x-ndjson"),)
GZIP = ("Content-Encoding", "gzip")
MAX_BODY_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def doors(
    kafka_bootstrap: str, influx_url: str, create_topic: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    folder, name = tmp_path_factory.mktemp("doors"), secrets.token_hex(6)
    influx = InfluxSettings(
        influx_url=influx_url, raw_bucket=f"actions_{name}/autogen", hourly_bucket=f"hourly_{name}/autogen"
    )
    asyncio.run(create_buckets(influx))
    pipeline = Pipeline(folder, kafka_bootstrap, create_topic(4), create_topic(1), influx)
    with Doors(folder, pipeline) as both:
        yield both


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def actions(hour: int, number: int) -> list[dict[str, Any]]:
    return [
        {"timestamp": hour + index, "user": f"u{index % 7}", "event": ("click", "impression")[index % 2]}
        for index in range(number)
    ]


def ndjson(sent: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(action).encode() + b"\n" for action in sent)


def array(sent: list[dict[str, Any]]) -> bytes:
    return json.dumps(sent).encode()


def single(port: int, hour: int) -> tuple[str, dict[str, Any]]:
    action = {"timestamp": hour, "user": "u", "event": "click"}
    return f"http://127.0.0.1:{port}/analytics?timestamp={hour}&user=u&event=click", action


SINGLE = {
    "wrk": wrk,
    "wrk, pipelining": wrk_pipelining,
    "hey": hey,
    "ab": ab,
    "ab -k": ab_keeping_connections,
    "siege": siege,
    "curl --http2": curl("--http2"),
    "curl --http1.0": curl("--http1.0"),
    "curl --http2, Connection: close": curl("--http2", "-H", "Connection: close"),
    "JDK": jdk("none"),
}


@pytest.mark.parametrize("client", SINGLE.values(), ids=SINGLE)
def test_each_single_action_that_a_client_says_was_taken_is_counted_once(
    doors: Doors, door: str, client: HttpClient, tmp_path: Path
) -> None:
    hour = doors.take_hour()
    url, action = single(doors.port(door), hour)

    taken = client(Sending(url, TIMES, tmp_path))

    assert taken == TIMES
    assert doors.differences(hour, [action] * TIMES) == {}


class Batch(NamedTuple):
    """How a client sends a batch."""

    client: HttpClient
    written: Callable[[list[dict[str, Any]]], bytes]
    headers: tuple[tuple[str, str], ...] = NDJSON
    lines: int = 20


BATCHES = {
    "hey": Batch(hey, array, JSON),
    "ab": Batch(ab, ndjson),
    "ab -k": Batch(ab_keeping_connections, array, JSON),
    "siege": Batch(siege, ndjson),
    "h2load --h1": Batch(h2load_with_http1, ndjson),
    "curl --http2": Batch(curl("--http2"), ndjson),
    "curl --http2, gzip": Batch(curl("--http2"), lambda sent: gzip.compress(array(sent)), (*JSON, GZIP)),
    "curl --http1.0": Batch(curl("--http1.0"), ndjson),
    "curl, chunked": Batch(curl("-H", "Transfer-Encoding: chunked"), array, JSON),
    "curl, Expect": Batch(curl(), ndjson, lines=LARGE),
    "curl --http2, Expect, chunked": Batch(curl("--http2", "-H", "Transfer-Encoding: chunked"), ndjson, lines=LARGE),
    "JDK": Batch(jdk("length"), ndjson),
    "JDK, a large body": Batch(jdk("length"), array, JSON, LARGE),
    "JDK, gzip": Batch(jdk("length"), lambda sent: gzip.compress(ndjson(sent)), (*NDJSON, GZIP), LARGE),
    "JDK, chunked": Batch(jdk("chunked"), array, JSON),
    "JDK, Expect": Batch(jdk("expect"), ndjson),
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_each_batch_that_a_client_says_was_taken_is_counted_once(
    doors: Doors, door: str, batch: Batch, tmp_path: Path
) -> None:
    hour = doors.take_hour()
    sent, times = actions(hour, batch.lines), 5 if batch.lines == LARGE else TIMES
    url = f"http://127.0.0.1:{doors.port(door)}/v1/actions"

    taken = batch.client(Sending(url, times, tmp_path, batch.written(sent), batch.headers))

    assert taken == times
    assert doors.differences(hour, sent * times) == {}


@pytest.mark.parametrize("client", [h2load, curl("--http2-prior-knowledge")], ids=["h2load", "curl"])
def test_http2_without_asking_first_ends_with_an_error_and_counts_nothing(
    doors: Doors, door: str, client: HttpClient, tmp_path: Path
) -> None:
    hour = doors.take_hour()
    sending = Sending(f"http://127.0.0.1:{doors.port(door)}/v1/actions", 5, tmp_path, ndjson(actions(hour, 5)), NDJSON)

    try:
        taken = client(sending)
    except ClientFailed:
        taken = 0

    assert taken == 0
    assert doors.differences(hour, []) == {}


def test_requests_as_a_proxy_gets_them_are_taken_too(doors: Doors, door: str, tmp_path: Path) -> None:
    hour = doors.take_hour()
    url, action = single(doors.port(door), hour)
    through = curl("--proxy", f"http://127.0.0.1:{doors.port(door)}", "--noproxy", "")

    taken = through(Sending(url.replace("127.0.0.1", "localhost"), TIMES, tmp_path))

    assert taken == TIMES
    assert doors.differences(hour, [action] * TIMES) == {}


@pytest.mark.parametrize("excess", [1, 100_000])
def test_a_client_that_reads_only_once_it_has_sent_all_is_told_that_its_body_is_too_large(
    doors: Doors, door: str, excess: int
) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{doors.port(door)}/v1/actions", bytes(MAX_BODY_BYTES + excess), dict(NDJSON)
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)

    assert refused.value.code == 413
    assert json.load(refused.value)["code"] == "body_too_large"
    refused.value.close()


def batch_head(length: int) -> bytes:
    return b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\n%b: %b\r\nContent-Length: %d\r\n\r\n" % (
        *(word.encode() for word in NDJSON[0]),
        length,
    )


def test_a_body_that_is_longer_than_announced_is_answered_as_announced_and_the_rest_is_refused(
    doors: Doors, door: str
) -> None:
    hour = doors.take_hour()
    sent = actions(hour, 20)

    with socket.create_connection(("127.0.0.1", doors.port(door)), timeout=60) as connection:
        connection.sendall(batch_head(len(ndjson(sent))) + ndjson(sent) + ndjson(sent))
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"400"]
    assert doors.differences(hour, sent) == {}


def test_what_came_from_a_client_that_leaves_in_the_middle_of_its_body_is_not_counted(doors: Doors, door: str) -> None:
    hour = doors.take_hour()
    before = doors.broken_off()

    with socket.create_connection(("127.0.0.1", doors.port(door)), timeout=60) as connection:
        connection.sendall(batch_head(2 * len(ndjson(actions(hour, 20)))) + ndjson(actions(hour, 20)))

    doors.until_broken_off(before + 1)
    assert doors.differences(hour, []) == {}
