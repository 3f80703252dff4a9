"""A plain single action is answered by the protocol as by the app, and everything else the server's usual way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from contract.log.action import Action
from contract.log.position import Position
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.http.server.fast_path_protocol import FastPathProtocol
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.publishing.publisher import OnDelivered
from ingest_api.settings import IngestSettings
from service.web.hosts import AllowedHosts
from support.fixtures.http_connection import Transport
from support.fixtures.ingest import until
from support.fixtures.keys import key_of, write_keys

NOW = 1_800_000_000_000
GOOD = f"timestamp={NOW}&user=u%201&event=click&id=i"
BAD = ("", "user", "user=%ff", f"timestamp={NOW}&user=u&event=unknown", f"{GOOD}&user=again")
FAILURES: tuple[PublishUnavailable, ...] = (NotPublished("no room"), OutcomeUnknown("no answer"))
NO_BODY_BUT_CHUNKED = "transfer-encoding: chunked\r\n", b"0\r\n\r\n"
TAKEN = b"HTTP/1.1 204 No Content\r\ndate: today\r\n\r\n"
TAKEN_THE_LAST = b"HTTP/1.1 204 No Content\r\ndate: today\r\nconnection: close\r\n\r\n"


class PausableLog(MemoryPublisher):
    """Acknowledges when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[OnDelivered] | None = None

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        if self.held is None:
            super().submit(actions, on_delivered)
        else:
            self.held.append(on_delivered)


class Api:
    """The app, and connections to it."""

    def __init__(self, config: Config, log: PausableLog, state: dict[str, Any]) -> None:
        self.log = log
        self.server = ServerState()
        self.server.default_headers = [(b"date", b"today")]
        self._config = config
        self._state = state

    def connect(self) -> tuple[FastPathProtocol, Transport]:
        protocol = FastPathProtocol(self._config, self.server, self._state, asyncio.get_running_loop())
        transport = Transport()
        protocol.connection_made(transport)
        return protocol, transport

    async def answer(self, request: bytes) -> bytes:
        protocol, transport = self.connect()
        protocol.data_received(request)
        await until(lambda: self.server.total_requests > 0)
        self.server.total_requests = 0
        return transport.written


@asynccontextmanager
async def opened(keep_alive: int = 75, keys: Path | None = None) -> AsyncIterator[Api]:
    log = PausableLog()
    app = create_app(IngestSettings(keys_file=keys), log, Metrics(), clock=lambda: NOW)
    config = Config(
        app, log_config=None, access_log=False, proxy_headers=False, server_header=False, timeout_keep_alive=keep_alive
    )
    async with app.router.lifespan_context(app) as state:
        yield Api(config, log, dict(state or {}))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with opened() as one:
        yield one


def request(query: str = GOOD, head: str = "", body: bytes = b"", *, line: str = "POST {} HTTP/1.1") -> bytes:
    return f"{line.format('/analytics?' + query)}\r\nhost: api\r\n{head}\r\n".encode() + body


@pytest.mark.parametrize("head", ["", "content-length: 0\r\n", "content-type: text/plain\r\naccept: */*\r\n"])
async def test_a_plain_request_is_answered_with_one_write_and_without_a_task(api: Api, head: str) -> None:
    protocol, transport = api.connect()
    protocol.data_received(request(head=head))
    assert (transport.written, transport.writes) == (TAKEN, 1)
    assert api.log.published == [Action(NOW, "u 1", "click", "i")]
    assert (api.server.tasks, api.server.total_requests) == (set(), 1)


@pytest.mark.parametrize("query", [GOOD, "user"], ids=["taken", "refused"])
async def test_of_thousands_in_one_read_some_are_answered_before_others_have_their_turn(api: Api, query: str) -> None:
    protocol, transport = api.connect()
    protocol.data_received(request(query) * 2_000)
    assert 0 < api.server.total_requests <= 2_048 // len(request(query))
    assert not transport.reading

    other, others = api.connect()
    other.data_received(request())
    assert others.written == TAKEN

    await until(lambda: api.server.total_requests == 2_001)
    assert transport.written.count(b"HTTP/1.1 ") == 2_000
    assert transport.reading


async def test_answers_about_one_record_are_alike_but_for_the_date_of_when_they_are_given(api: Api) -> None:
    api.log.held = []
    connections = [api.connect() for _ in range(4)]
    for protocol, _ in connections:
        protocol.data_received(request())
    first, second, later, elsewhere = api.log.held
    record, other = (Position("log", NOW, {3: offset}) for offset in (4, 5))

    first(record)
    second(record)
    api.server.default_headers = [(b"date", b"tomorrow")]
    later(record)
    elsewhere(other)

    taken = "HTTP/1.1 204 No Content\r\ndate: {}\r\ncollector-position: {}\r\n\r\n"
    assert [transport.written.decode() for _, transport in connections] == [
        taken.format("today", record.text()),
        taken.format("today", record.text()),
        taken.format("tomorrow", record.text()),
        taken.format("tomorrow", other.text()),
    ]


@pytest.mark.parametrize("query", [GOOD, *BAD])
async def test_a_query_is_answered_alike_on_both_paths(api: Api, query: str) -> None:
    short, usual = await api.answer(request(query)), await api.answer(request(query, *NO_BODY_BUT_CHUNKED))
    assert short == usual


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_is_told_alike_on_both_paths(api: Api, failure: PublishUnavailable) -> None:
    api.log.failure = failure
    short, usual = await api.answer(request()), await api.answer(request(GOOD, *NO_BODY_BUT_CHUNKED))
    assert short == usual
    assert b"retry-after: 1\r\n" in short


async def test_an_error_in_the_program_is_told_alike_on_both_paths(api: Api) -> None:
    api.log.published = None  # type: ignore[assignment] # so that publishing fails in a way nobody thought of
    short, usual = await api.answer(request()), await api.answer(request(GOOD, *NO_BODY_BUT_CHUNKED))
    assert short == usual
    assert b"internal_error" in short


@pytest.mark.parametrize(
    "unusual",
    [
        request(line="GET {} HTTP/1.1"),
        request(head="connection: keep-alive\r\n", line="POST {} HTTP/1.0"),
        request(line="POST {}#fragment HTTP/1.1"),
        request(line="POST http://api{} HTTP/1.1"),
        request(f"{GOOD}&user=[]"),
        request(head="connection: close\r\n"),
        request(head="expect: 100-continue\r\ncontent-length: 2\r\n"),
        request(head="content-length: 2\r\n", body=b"{}"),
        request(head="origin: https://shop.example\r\n"),
        request(GOOD, *NO_BODY_BUT_CHUNKED),
        request().replace(b"/analytics", b"/v1/actions"),
    ],
)
async def test_whatever_is_not_plainly_such_a_request_goes_the_usual_path(api: Api, unusual: bytes) -> None:
    protocol, _ = api.connect()
    protocol.data_received(unusual)
    assert len(api.server.tasks) == 1
    await until(lambda: not api.server.tasks)


async def test_a_request_that_comes_in_pieces_is_answered_once_it_is_there(api: Api) -> None:
    protocol, transport = api.connect()
    for piece in request():
        assert transport.written == b""
        protocol.data_received(bytes([piece]))
    assert transport.written == TAKEN


async def test_a_form_s_action_goes_the_usual_path_and_counts_once(api: Api) -> None:
    form = f"timestamp={NOW}&user=u%201"
    head = f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n"
    answer = await api.answer(request("event=click&id=i", head, form.encode()))
    assert answer == TAKEN
    assert api.log.published == [Action(NOW, "u 1", "click", "i")]


@pytest.mark.parametrize("refused", [b"x: " + b"x" * 70_000 + b"\r\n", b"no header\r\n"])
async def test_a_request_that_cannot_be_read_is_refused_after_the_answer_to_the_plain_one_before(
    api: Api, refused: bytes
) -> None:
    held = api.log.held = []
    protocol, transport = api.connect()
    protocol.data_received(request() + b"GET / HTTP/1.1\r\n" + refused + b"\r\n")
    await asyncio.sleep(0)
    assert (len(held), transport.written) == (1, b"")
    held.pop()(None)
    await until(lambda: transport.written.count(b"HTTP/1.1 ") == 2)
    assert transport.written.startswith(TAKEN + b"HTTP/1.1 4")


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_plain_request_with_a_head_above_the_bound_is_refused(api: Api, pieces: int) -> None:
    protocol, transport = api.connect()
    data = request(head="x: " + "x" * 70_000 + "\r\n")
    size = len(data) // pieces + 1
    for start in range(0, len(data), size):
        protocol.data_received(data[start : start + size])
    await until(lambda: transport.closed)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert api.log.published == []


async def test_requests_that_offer_an_upgrade_are_counted_once_each_with_a_body_and_without(api: Api) -> None:
    offer = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\n"
    protocol, transport = api.connect()
    protocol.data_received(request() + request(head=offer) + request(GOOD, offer + "content-length: 2\r\n", b"{}"))
    await until(lambda: api.server.total_requests == 3)
    assert len(api.log.published) == 3
    assert transport.written.count(b"HTTP/1.1 204") == 3


async def test_nobody_is_answered_before_the_acknowledgement_nor_closed_for_being_idle(api: Api) -> None:
    api.log.held = []
    protocol, transport = api.connect()
    protocol.data_received(request())
    assert transport.written == b""
    assert protocol.timeout_keep_alive_task is None
    api.log.held.pop()(None)
    assert transport.written == TAKEN


async def test_pipelined_requests_are_answered_in_order_each_after_the_one_before(api: Api) -> None:
    held = api.log.held = []
    protocol, transport = api.connect()
    protocol.data_received(request() + request("user") + request())
    await asyncio.sleep(0)
    assert (len(held), transport.written, transport.reading) == (1, b"", False)
    held.pop()(None)
    await until(lambda: len(held) == 1)
    held.pop()(None)
    await until(lambda: api.server.total_requests == 3)
    first, second, third = (part[:3] for part in transport.written.split(b"HTTP/1.1 ")[1:])
    assert (first, second, third) == (b"204", b"400", b"204")
    assert transport.reading


async def test_a_connection_is_closed_once_it_was_idle_for_the_keep_alive_time_and_not_while_it_waits() -> None:
    async with opened(keep_alive=0) as api:
        held = api.log.held = []
        protocol, transport = api.connect()
        protocol.data_received(request("user") + request())
        assert protocol.timeout_keep_alive_task is None
        held.pop()(None)
        await until(lambda: transport.closed)
        assert transport.written.endswith(TAKEN)


async def test_what_is_in_flight_at_the_shutdown_is_answered_and_then_the_connection_is_closed(api: Api) -> None:
    held = api.log.held = []
    busy, waiting = api.connect()
    busy.data_received(request())
    busy.shutdown()
    assert not waiting.closed
    assert busy in api.server.connections
    held.pop()(None)
    assert (waiting.written, waiting.closed) == (TAKEN_THE_LAST, True)


async def test_what_comes_on_an_idle_connection_just_after_the_shutdown_is_taken_as_the_last(api: Api) -> None:
    protocol, transport = api.connect()
    protocol.data_received(request())
    await until(lambda: transport.written == TAKEN)
    protocol.shutdown()
    protocol.data_received(request())
    await until(lambda: transport.closed)
    assert transport.written == TAKEN + TAKEN_THE_LAST
    assert len(api.log.published) == 2


async def test_a_client_that_is_gone_before_the_answer_disturbs_nobody(api: Api) -> None:
    held = api.log.held = []
    protocol, transport = api.connect()
    protocol.data_received(request())
    protocol.connection_lost(None)
    held.pop()(None)
    assert transport.written == b""
    assert protocol not in api.server.connections


async def test_a_client_that_does_not_read_its_answers_is_made_to_wait(api: Api) -> None:
    protocol, transport = api.connect()
    protocol.pause_writing()
    protocol.data_received(request() * 2)
    await until(lambda: len(api.log.published) == 1)
    assert (transport.written, transport.reading) == (b"", False)
    protocol.resume_writing()
    await until(lambda: transport.written.count(TAKEN) == 2)


KEYS = [
    key_of("uac_write", "write"),
    key_of("uac_read", "read"),
    key_of("uac_views", "write", events=("impression",)),
    key_of("uac_page", "write", origins=("https://shop.example",)),
    key_of("uac_once", "write", requests_per_second=0.001),
    key_of("uac_spent", "write", actions_per_second=0.001),
]
WITH_KEYS = [
    ("authorization: Bearer uac_write\r\n", "", b"204"),
    ("x-api-key: uac_write\r\n", "", b"204"),
    ("authorization: Basic dWFjX3dyaXRlOg==\r\n", "", b"204"),
    ("", "&key=uac_write", b"204"),
    ("", "", b"401"),
    ("authorization: Bearer uac_other\r\n", "", b"401"),
    ("authorization: Bearer uac_other\r\n", "&key=uac_write", b"401"),
    ("", "&key=uac_read", b"403"),
    ("authorization: Bearer uac_read\r\n", "", b"403"),
    ("authorization: Bearer uac_page\r\n", "", b"403"),
    ("authorization: Bearer uac_views\r\n", "", b"400"),
]


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Api]:
    async with opened(keys=write_keys(tmp_path / "keys", KEYS)) as one:
        yield one


@pytest.mark.parametrize(("head", "query", "status"), WITH_KEYS)
async def test_a_key_is_looked_at_alike_on_both_paths(locked: Api, head: str, query: str, status: bytes) -> None:
    chunked, body = NO_BODY_BUT_CHUNKED
    short = await locked.answer(request(GOOD + query, head))
    usual = await locked.answer(request(GOOD + query, head + chunked, body))
    assert short == usual
    assert short.startswith(b"HTTP/1.1 " + status)
    assert len(locked.log.published) == (2 if status == b"204" else 0)


@pytest.mark.parametrize("head", ["authorization: Bearer uac_write\r\n", ""])
async def test_with_keys_too_a_plain_request_is_answered_with_one_write_and_without_a_task(
    locked: Api, head: str
) -> None:
    protocol, transport = locked.connect()
    protocol.data_received(request(head=head))
    assert (transport.writes, locked.server.tasks, locked.server.total_requests) == (1, set(), 1)


@pytest.mark.parametrize("key", ["uac_once", "uac_spent"])
async def test_a_rate_holds_over_both_paths_together(locked: Api, key: str) -> None:
    head = f"x-api-key: {key}\r\n"
    chunked, body = NO_BODY_BUT_CHUNKED
    assert (await locked.answer(request(head=head))).startswith(b"HTTP/1.1 204")
    short, usual = await locked.answer(request(head=head)), await locked.answer(request(GOOD, head + chunked, body))
    for refused in (short, usual):
        assert refused.startswith(b"HTTP/1.1 429")
        assert b"\r\nretry-after: " in refused
    assert len(locked.log.published) == 1


async def test_an_error_while_a_key_is_looked_at_is_answered_and_lets_nothing_in(
    locked: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> bytes:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr("service.keys.keyring.digest_of", broken)
    answer = await locked.answer(request(head="x-api-key: uac_write\r\n"))
    assert answer.startswith(b"HTTP/1.1 500")
    assert locked.log.published == []


async def test_a_single_action_for_another_host_is_refused_and_not_published(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FastPathProtocol, "hosts", AllowedHosts(("api",), "127.0.0.1"))
    protocol, transport = api.connect()
    protocol.data_received(request() + request().replace(b"host: api", b"host: rebound.example"))
    assert transport.written.startswith(TAKEN + b"HTTP/1.1 421 ")
    assert b"host_not_allowed" in transport.written
    assert len(api.log.published) == 1


async def test_an_id_that_a_client_gives_its_request_is_returned(api: Api) -> None:
    protocol, transport = api.connect()
    protocol.data_received(request(head="x-request-id: 7f0c\r\n"))
    assert (transport.written, transport.writes) == (TAKEN.replace(b"today\r\n", b"today\r\nx-request-id: 7f0c\r\n"), 1)
    protocol.data_received(request())
    assert transport.written.endswith(b"\r\n\r\n" + TAKEN)


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 129])
async def test_an_id_that_is_not_well_formed_goes_the_usual_path(api: Api, wrong: str) -> None:
    protocol, transport = api.connect()
    protocol.data_received(request(head=f"x-request-id: {wrong}\r\n"))
    assert len(api.server.tasks) == 1
    assert b"x-request-id" not in transport.written
