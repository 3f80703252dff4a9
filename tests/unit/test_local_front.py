import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import httpx
import pytest

from deploy.local.front.app import create_app
from deploy.local.front.openapi import merge_documents
from deploy.local.front.upstreams import Upstreams
from deploy.local.members import Member, Role
from deploy.local.ports import free_port
from deploy.local.roster import Roster

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-mine: yes\r\n\r\nok"


class Upstream:
    """A process behind the door: answers each request with fixed bytes, and remembers what it was sent."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        names = head.lower()
        body = b""
        if b"content-length: " in names:
            body = await reader.readexactly(int(names.split(b"content-length: ")[1].split(b"\r\n")[0]))
        elif b"transfer-encoding: chunked" in names:
            body = await reader.readuntil(b"0\r\n\r\n")
        self.requests.append(head + body)
        writer.write(self.answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


class Stack:
    """A door, and those who stand behind it by the state file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stack.json"
        self.roster = Roster(self.file)

    def add(self, role: Role, *ports: int, stopping: bool = False) -> None:
        for port in ports:
            number = len(self.roster.of(role)) + 1
            self.roster.add(Member(f"{role}-{number}", role, port, 1, 0.0, stopping))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Upstreams(stack.file))
    async with AsyncExitStack() as exits:
        await exits.enter_async_context(app.router.lifespan_context(app))
        yield await exits.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door")
        )


async def test_post_goes_to_the_ingest_api_and_get_to_the_aggregator(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as ingest, Upstream() as aggregator:
        stack.add(Role.INGEST, ingest.port)
        stack.add(Role.AGGREGATOR, aggregator.port)

        await door.post("/analytics?timestamp=1&user=a%26b&event=click")
        await door.get("/analytics?timestamp=1")

    assert ingest.requests[0].startswith(b"POST /analytics?timestamp=1&user=a%26b&event=click HTTP/1.1\r\n")
    assert aggregator.requests[0].startswith(b"GET /analytics?timestamp=1 HTTP/1.1\r\n")


async def test_body_and_headers_pass_as_they_are(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as ingest:
        stack.add(Role.INGEST, ingest.port)

        answer = await door.post("/v1/actions", content=b"\x1f\x8bbytes", headers={"Content-Encoding": "gzip"})

    assert b"content-encoding: gzip\r\n" in ingest.requests[0]
    assert ingest.requests[0].endswith(b"\r\n\r\n\x1f\x8bbytes")
    assert (answer.status_code, answer.content, answer.headers["x-mine"]) == (200, b"ok", "yes")


async def test_a_body_of_unknown_length_is_streamed(stack: Stack, door: httpx.AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async with Upstream() as ingest:
        stack.add(Role.INGEST, ingest.port)

        await door.post("/v1/actions", content=body())

    assert b"one" in ingest.requests[0]
    assert b"two" in ingest.requests[0]


async def test_an_error_of_a_service_passes_as_it_is(stack: Stack, door: httpx.AsyncClient) -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\n\r\n{}"
    async with Upstream(refusal) as ingest:
        stack.add(Role.INGEST, ingest.port)

        answer = await door.post("/v1/actions", content=b"x")

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_requests_take_turns_over_equal_processes(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as one, Upstream() as two:
        stack.add(Role.INGEST, one.port, two.port)

        for _ in range(6):
            await door.post("/analytics")

    assert (len(one.requests), len(two.requests)) == (3, 3)


async def test_a_process_that_refuses_the_connection_is_skipped(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as alive:
        stack.add(Role.INGEST, free_port(), alive.port)

        statuses = {(await door.post("/analytics", content=b"body")).status_code for _ in range(4)}

    assert statuses == {200}
    assert len(alive.requests) == 4


async def test_a_post_that_may_have_arrived_is_never_sent_twice(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream(answer=b"") as first, Upstream(answer=b"") as second:
        stack.add(Role.INGEST, first.port, second.port)

        answer = await door.post("/analytics")

    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(first.requests) + len(second.requests) == 1


async def test_without_any_process_the_answer_says_that_nothing_was_sent(door: httpx.AsyncClient) -> None:
    answer = await door.post("/analytics")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_sent")
    assert answer.headers["retry-after"] == "1"


async def test_who_was_told_to_stop_gets_no_more_requests(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as leaving, Upstream() as staying:
        stack.add(Role.INGEST, leaving.port, stopping=True)
        stack.add(Role.INGEST, staying.port)

        for _ in range(3):
            await door.post("/analytics")

    assert (len(leaving.requests), len(staying.requests)) == (0, 3)


async def test_who_joins_the_stack_gets_requests_at_once(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as first, Upstream() as second:
        stack.add(Role.INGEST, first.port)
        await door.post("/analytics")
        stack.add(Role.INGEST, second.port)

        await door.post("/analytics")
        await door.post("/analytics")

    assert len(second.requests) == 1


async def test_the_door_is_ready_only_with_one_of_each_service(stack: Stack, door: httpx.AsyncClient) -> None:
    async with Upstream() as ingest, Upstream() as aggregator:
        stack.add(Role.INGEST, free_port(), ingest.port)
        half = await door.get("/readyz")
        stack.add(Role.AGGREGATOR, aggregator.port)
        whole = await door.get("/readyz")

    assert (half.status_code, half.json()) == (503, {"ready": False, "ingest": True, "aggregator": False})
    assert (whole.status_code, whole.json()) == (200, {"ready": True, "ingest": True, "aggregator": True})


async def test_the_door_is_alive_with_nobody_behind_it(door: httpx.AsyncClient) -> None:
    assert (await door.get("/healthz")).status_code == 200


def document(*paths: tuple[str, str], schemas: dict[str, object] | None = None) -> dict[str, object]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        "info": {"version": "1.2"},
        "paths": {path: {method: {"responses": {"503": problem}}} for path, method in paths},
        "components": {"schemas": schemas or {}},
    }


def test_the_documents_of_both_services_become_one() -> None:
    merged = merge_documents(
        {
            "ingest": document(("/analytics", "post"), ("/readyz", "get")),
            "aggregator": document(("/analytics", "get"), ("/v1/hours/{hour}", "get")),
        }
    )

    assert {path: set(methods) for path, methods in merged["paths"].items()} == {
        "/analytics": {"get", "post"},
        "/v1/hours/{hour}": {"get"},
    }


def test_equal_names_for_unequal_schemas_do_not_get_mixed_up() -> None:
    merged = merge_documents(
        {
            "ingest": document(("/a", "post"), schemas={"Problem": {"title": "one"}}),
            "aggregator": document(("/b", "get"), schemas={"Problem": {"title": "other"}}),
        }
    )

    reference = merged["paths"]["/b"]["get"]["responses"]["503"]["schema"]["$ref"]
    assert merged["components"]["schemas"][reference.removeprefix("#/components/schemas/")] == {"title": "other"}
    assert merged["components"]["schemas"]["Problem"] == {"title": "one"}


async def test_the_page_of_documentation_loads_nothing_from_elsewhere(door: httpx.AsyncClient) -> None:
    page = await door.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    assert "/openapi.json" in page.text
    assert "//" not in "".join(loaded)
    for path in loaded:
        assert (await door.get(path)).status_code == 200
