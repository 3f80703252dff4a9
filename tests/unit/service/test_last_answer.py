import asyncio

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from service import last_answer
from service.http_protocol import BoundedHttpProtocol
from support.fixtures.http_connection import Transport
from support.fixtures.ingest import until

CHUNKED = b"Transfer-Encoding: chunked\r\n"
EXPECTS = b"Expect: 100-continue\r\n"


class App:
    """Answers 200 to a request once its body is read, and 413 to /refused before; each when the test lets it."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.carried_out: list[bytes] = []
        self.broken_off = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 413
        if scope["path"] != "/refused":
            status, body = 200, b""
            message = await receive()
            while message["type"] == "http.request" and message["more_body"]:
                body += message["body"]
                message = await receive()
            if message["type"] == "http.disconnect":
                self.broken_off += 1
            else:
                self.carried_out.append(body + message["body"])
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


class Connection:
    """A connection to the app."""

    def __init__(self, app: App, transport: Transport) -> None:
        self.app = app
        self.state = ServerState()
        self.transport = transport
        self.protocol = BoundedHttpProtocol(Config(app, log_config=None), self.state, {}, asyncio.get_running_loop())
        self.protocol.connection_made(self.transport)

    def receive(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def statuses(self) -> list[bytes]:
        return [answer[:3] for answer in self.transport.written.split(b"HTTP/1.1 ")[1:]]

    async def end(self) -> None:
        """Returns once all is answered and nothing more is written."""
        self.app.may_answer.set()
        await until(lambda: self.transport.closed and not self.state.tasks)


@pytest.fixture
async def connection() -> Connection:
    return Connection(App(), Transport())


def post(path: bytes = b"/", head: bytes = b"", body: bytes = b"") -> bytes:
    length = b"" if b"ncoding" in head or b"ength" in head else b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + head + length + b"\r\n" + body


@pytest.mark.parametrize("before", [1, 3])
@pytest.mark.parametrize("apart", [False, True])
async def test_what_follows_on_a_body_is_refused_after_the_answer_to_the_request(
    connection: Connection, before: int, *, apart: bool
) -> None:
    pieces = [post(body=b"ten bytes!") * before, b"and more\n", b"and more\n"]
    for piece in pieces if apart else [b"".join(pieces)]:
        connection.receive(piece)
    await asyncio.sleep(0)
    assert connection.statuses() == []

    await connection.end()

    assert connection.statuses() == [b"200"] * before + [b"400"]
    assert connection.app.carried_out == [b"ten bytes!"] * before


async def test_a_body_that_breaks_off_is_refused_and_what_was_read_of_it_is_not_carried_out(
    connection: Connection,
) -> None:
    connection.receive(post(head=CHUNKED, body=b"3\r\nabc\r\n"))
    await asyncio.sleep(0)
    connection.receive(b"zz\r\n")

    assert connection.statuses() == [b"400"]
    await connection.end()
    assert connection.statuses() == [b"400"]
    assert (connection.app.carried_out, connection.app.broken_off) == ([], 1)


async def test_a_body_that_breaks_off_while_its_request_waits_for_its_turn_is_refused_in_its_turn(
    connection: Connection,
) -> None:
    connection.receive(post(body=b"first") + post(head=CHUNKED, body=b"3\r\nabc\r\nzz\r\n"))
    await asyncio.sleep(0)
    assert connection.statuses() == []

    await connection.end()

    assert connection.statuses() == [b"200", b"400"]
    assert connection.app.carried_out == [b"first"]


async def test_what_comes_after_a_refusal_is_not_carried_out(connection: Connection) -> None:
    connection.receive(b"nonsense\r\n\r\n" + post(body=b"next"))
    connection.receive(post(body=b"next"))

    await connection.end()

    assert connection.statuses() == [b"400"]
    assert connection.app.carried_out == []


async def test_a_client_that_leaves_before_its_refusal_disturbs_nobody(connection: Connection) -> None:
    connection.receive(post() + b"nonsense\r\n\r\n")
    await asyncio.sleep(0)
    connection.protocol.connection_lost(None)
    connection.app.may_answer.set()

    await until(lambda: not connection.state.tasks)

    assert b"400" not in connection.statuses()


class Lingering(Transport):
    """Tells the end of what is written from the end of the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    def write_eof(self) -> None:
        self.ended = True


@pytest.fixture
async def lingering(monkeypatch: pytest.MonkeyPatch) -> tuple[Connection, Lingering]:
    monkeypatch.setattr(last_answer, "LINGER_SECONDS", 0.2)
    transport = Lingering()
    return Connection(App(), transport), transport


REFUSALS = [
    post(b"/refused", b"Connection: close\r\nContent-Length: 99\r\n"),
    post(b"/refused", b"Connection: close\r\n" + CHUNKED),
    post(b"/refused", EXPECTS + b"Content-Length: 99\r\n"),
    b"nonsense\r\n\r\n",
]


@pytest.mark.parametrize("refused", REFUSALS)
async def test_a_client_may_go_on_sending_for_a_while_after_the_last_answer(
    lingering: tuple[Connection, Lingering], refused: bytes
) -> None:
    connection, transport = lingering
    connection.app.may_answer.set()
    connection.receive(refused)
    await until(lambda: transport.ended)
    assert b"\r\nconnection: close\r\n" in transport.written
    assert (transport.closed, transport.reading) == (False, True)

    connection.receive(b"the body" + post())
    await until(lambda: transport.closed)

    assert len(connection.statuses()) == 1
    assert connection.app.carried_out == []


async def test_a_connection_whose_last_request_was_read_is_closed_at_once(
    lingering: tuple[Connection, Lingering],
) -> None:
    connection, transport = lingering
    connection.app.may_answer.set()
    connection.receive(post(head=b"Connection: close\r\n", body=b"whole"))

    await until(lambda: transport.closed)

    assert not transport.ended


@pytest.mark.parametrize("body", [b"body", b""])
async def test_a_connection_goes_on_after_a_body_that_was_asked_for_or_came_unasked(
    connection: Connection, body: bytes
) -> None:
    connection.app.may_answer.set()
    if body:
        connection.receive(post(head=EXPECTS + b"Content-Length: 4\r\n"))
        await until(lambda: connection.statuses() == [b"100"])
        connection.receive(body)
    else:
        connection.receive(post(b"/refused", EXPECTS, b"body"))
    connection.receive(post(body=b"next"))

    await until(lambda: connection.statuses()[-2:] == ([b"200", b"200"] if body else [b"413", b"200"]))

    assert connection.app.carried_out[-1] == b"next"
    assert not connection.transport.closed


async def test_a_refused_request_of_a_lasting_connection_leaves_it_open_and_its_body_is_passed_over(
    connection: Connection,
) -> None:
    connection.app.may_answer.set()
    connection.receive(post(b"/refused", b"Content-Length: 8\r\n", b""))
    await until(lambda: connection.statuses() == [b"413"])

    connection.receive(b"the body" + post(body=b"next"))

    await until(lambda: connection.statuses() == [b"413", b"200"])
    assert connection.app.carried_out == [b"next"]


@pytest.mark.parametrize("behind", [0, 1, 3])
async def test_a_request_that_is_answered_hears_that_its_client_has_left_however_many_wait_behind_it(
    connection: Connection, behind: int
) -> None:
    left = asyncio.Event()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    connection.protocol.app = app  # type: ignore[assignment] # an app as the server knows it
    connection.receive(b"GET / HTTP/1.1\r\n\r\n" * (1 + behind))
    await asyncio.sleep(0)
    connection.transport.closed = True
    connection.protocol.connection_lost(None)
    await left.wait()
