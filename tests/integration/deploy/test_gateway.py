"""Real Caddy with our Caddyfile, before upstreams that remember what they were sent."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.gateway.pages.writing import write_pages
from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from service.web.documentation import HEADERS
from support.services.upstream import Upstream

POST = b"POST /v1/actions HTTP/1.1\r\nhost: localhost\r\n"
UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
SECONDS = 60
UNREADY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno"


class Behind:
    """A gateway, and the processes that it is told of."""

    def __init__(self, folder: Path, ingest: Upstream, aggregator: Upstream) -> None:
        self.folder = folder / "gateway"
        self.log = folder / "gateway.log"
        self.ingest = ingest
        self.aggregator = aggregator
        self.port = free_port()

    def gateway(self, ingest: list[str], aggregator: list[str], **environment: str) -> Gateway:
        upstreams = {"GATEWAY_INGEST": " ".join(ingest), "GATEWAY_AGGREGATOR": " ".join(aggregator)}
        return Gateway(self.folder, self.port, self.log, upstreams | environment)

    async def tell(self, ingest: list[str], aggregator: list[str] | None = None) -> None:
        gateway = self.gateway(ingest, [self.aggregator.address] if aggregator is None else aggregator)
        await asyncio.to_thread(gateway.reload)

    async def status(self, *parts: bytes) -> bytes:
        """The first line that comes back for what is sent part by part."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(SECONDS):
            line = await reader.readline()
        writer.close()
        return line

    async def until_closed(self, data: bytes) -> bytes:
        """What comes back until the gateway closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        async with asyncio.timeout(SECONDS):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Behind]:
    async with Upstream() as ingest, Upstream() as aggregator:
        behind = Behind(tmp_path, ingest, aggregator)
        gateway = behind.gateway(
            [ingest.address],
            [aggregator.address],
            GATEWAY_HEAD_TIMEOUT="1s",
            GATEWAY_BODY_TIMEOUT="1s",
            COLLECTOR_INGEST_MAX_BODY_BYTES="100000",
        )
        gateway.start()
        try:
            await asyncio.to_thread(gateway.wait_until_ready)
            ingest.requests.clear()
            aggregator.requests.clear()
            yield behind
        finally:
            await asyncio.to_thread(gateway.kill)


@pytest.fixture
async def client(behind: Behind) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{behind.port}", timeout=SECONDS, trust_env=False) as one:
        yield one


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["title"]
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("method", "target", "service"),
    [
        ("POST", "/analytics?timestamp=1&user=a%26b&event=click", "ingest"),
        ("OPTIONS", "/analytics", "ingest"),
        ("POST", "/v1/actions", "ingest"),
        ("OPTIONS", "/v1/actions", "ingest"),
        ("GET", "/v1/actions", "ingest"),
        ("POST", "/v1/events?strict=true", "ingest"),
        ("OPTIONS", "/v1/events", "ingest"),
        ("GET", "/v1/pixel.gif?user=a&event=click", "ingest"),
        ("HEAD", "/v1/pixel.gif", "ingest"),
        ("OPTIONS", "/v1/pixel.gif", "ingest"),
        ("POST", "/v1/batch/", "aggregator"),
        ("GET", "/analytics?timestamp=1", "aggregator"),
        ("HEAD", "/analytics?timestamp=1", "aggregator"),
        ("DELETE", "/analytics", "aggregator"),
        ("GET", "/v1/hours/2026-01-01T00", "aggregator"),
        ("OPTIONS", "/v1/ledger", "aggregator"),
        ("GET", "/", "aggregator"),
        ("GET", "/page/1/page.css", "aggregator"),
        ("GET", "/v1/hours?from=1", "aggregator"),
        ("GET", "/v1/totals?from=1", "aggregator"),
        ("GET", "/v1/days?tz=Europe/Berlin", "aggregator"),
        ("GET", "/v1/live", "aggregator"),
        ("POST", "/v1/made/tomorrow", "aggregator"),
    ],
)
async def test_a_request_goes_to_the_service_of_its_method_and_path(
    behind: Behind, client: httpx.AsyncClient, method: str, target: str, service: str
) -> None:
    await client.request(method, target)

    sent = {"ingest": behind.ingest.requests, "aggregator": behind.aggregator.requests}
    (request,) = sent.pop(service)
    assert request.startswith(f"{method} {target} HTTP/1.1\r\n".encode())
    assert not any(sent.values())


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/page", "/redoc", "/nowhere", "/v1", "/%6Detrics"])
async def test_what_is_not_public_does_not_pass(behind: Behind, client: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert problem(await client.request(method, path)) == (404, "not_found")
    assert (behind.ingest.requests, behind.aggregator.requests) == ([], [])


@pytest.mark.parametrize(
    "header", [("Authorization", "Bearer uac_k"), ("X-API-Key", "uac_k"), ("Origin", "https://a.example")]
)
async def test_a_key_and_what_it_is_bound_to_pass_as_they_are(
    behind: Behind, client: httpx.AsyncClient, header: tuple[str, str]
) -> None:
    for path in ("/v1/actions?key=uac_k", "/v1/hours"):
        await client.request("POST" if "key" in path else "GET", path, headers=[header])
    for request in (*behind.ingest.requests, *behind.aggregator.requests):
        assert f"\r\n{header[0]}: {header[1]}\r\n".lower().encode() in request.lower()
    assert b" /v1/actions?key=uac_k HTTP/1.1" in behind.ingest.requests[0]


async def test_what_sdks_send_goes_to_the_ingest_api(behind: Behind, client: httpx.AsyncClient) -> None:
    asked = [f"{method} {path}" for method in ("POST", "OPTIONS", "GET") for path in SEGMENT_PATHS]
    for request in asked:
        await client.request(*request.split())

    assert [request.partition(b" HTTP/")[0].decode() for request in behind.ingest.requests] == asked


async def test_body_headers_and_answer_pass_as_they_are(behind: Behind, client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/actions", content=b"\x1f\x8bbytes", headers={"Content-Encoding": "gzip"})

    assert b"\r\ncontent-encoding: gzip\r\n" in behind.ingest.requests[0].lower()
    assert behind.ingest.requests[0].endswith(b"\r\n\r\n\x1f\x8bbytes")
    assert (answer.status_code, answer.content, answer.headers["x-mine"]) == (200, b"ok", "yes")


async def test_an_error_of_a_service_passes_as_it_is(behind: Behind, client: httpx.AsyncClient) -> None:
    behind.ingest.answer = b"HTTP/1.1 503 X\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\n\r\n{}"

    answer = await client.post("/v1/actions", content=b"x")

    assert (answer.status_code, answer.content) == (503, b"{}")


async def test_a_refused_method_is_told_the_methods_of_both_services(behind: Behind, client: httpx.AsyncClient) -> None:
    behind.aggregator.answer = b"HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\ncontent-length: 0\r\n\r\n"
    behind.ingest.answer = b"HTTP/1.1 204 No Content\r\nallow: OPTIONS, POST\r\n\r\n"

    refused = await client.delete("/analytics")
    options = await client.options("/analytics")

    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json", "/docs/files/favicon.png"])
async def test_what_the_gateway_answers_by_itself_is_read_only(
    behind: Behind, client: httpx.AsyncClient, path: str
) -> None:
    write_pages(behind.folder / "pages", {})

    head, get = await client.head(path), await client.get(path)
    options, post = await client.options(path), await client.post(path)

    assert (head.status_code, get.status_code) == (200, 200)
    assert head.headers.get("content-length") == get.headers.get("content-length")
    assert head.content == b""
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == post.headers["allow"] == "GET, HEAD, OPTIONS"
    assert problem(post) == (405, "method_not_allowed")
    assert "allow" not in get.headers


async def test_connections_upstream_are_kept(behind: Behind, client: httpx.AsyncClient) -> None:
    before = behind.ingest.connections
    for _ in range(20):
        await client.post("/analytics")

    assert behind.ingest.connections <= before + 1


async def test_requests_take_turns_over_equal_processes_and_one_that_joins_gets_its_share_at_once(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    async with Upstream() as second:
        await behind.tell([behind.ingest.address, second.address])

        for _ in range(6):
            await client.post("/analytics")

    assert (len(behind.ingest.requests), len(second.requests)) == (3, 3)


async def test_one_that_leaves_gets_no_more_requests(behind: Behind, client: httpx.AsyncClient) -> None:
    async with Upstream() as staying:
        await behind.tell([staying.address])

        for _ in range(3):
            await client.post("/analytics")

    assert (len(behind.ingest.requests), len(staying.requests)) == (0, 3)


async def test_a_process_that_refuses_the_connection_is_passed_over(behind: Behind, client: httpx.AsyncClient) -> None:
    await behind.tell([f"127.0.0.1:{free_port()}", behind.ingest.address])

    statuses = {(await client.post("/v1/actions", content=b"body")).status_code for _ in range(4)}

    assert statuses == {200}
    assert [request.endswith(b"\r\n\r\nbody") for request in behind.ingest.requests] == [True] * 4


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "1"}, {"X-Idempotency-Key": "1"}])
@pytest.mark.parametrize("reused", [False, True])
async def test_a_post_that_may_have_arrived_is_never_sent_twice(
    behind: Behind, client: httpx.AsyncClient, headers: dict[str, str], *, reused: bool
) -> None:
    if reused:
        await client.post("/analytics")
        behind.ingest.requests.clear()
    behind.ingest.answer = b""

    answer = await client.post("/analytics", headers=headers)

    assert problem(answer) == (503, "outcome_unknown")
    assert answer.headers["retry-after"] == "1"
    assert len(behind.ingest.requests) == 1


@pytest.mark.parametrize("path", ["/v1/batch", "/beacon/v1/batch", "/v1/t"])
async def test_the_gateway_s_own_errors_are_told_as_sdks_read_them(
    behind: Behind, client: httpx.AsyncClient, path: str
) -> None:
    too_large = await client.post(path, content=b"x" * 100_001)
    await behind.tell([])
    away = await client.post(path, content=b"{}")

    assert (problem(too_large), problem(away)) == ((413, "body_too_large"), (503, "not_sent"))
    assert [answer.json()["message"] == answer.json()["detail"] for answer in (too_large, away)] == [True, True]
    assert "message" not in (await client.post("/v1/actions", content=b"x" * 100_001)).json()


@pytest.mark.parametrize("nobody", [[], [f"127.0.0.1:{free_port()}"]], ids=["no process", "a dead process"])
async def test_without_any_process_the_answer_says_that_nothing_was_sent(
    behind: Behind, client: httpx.AsyncClient, nobody: list[str]
) -> None:
    await behind.tell(nobody)

    answer = await client.post("/v1/actions", content=b"body")

    assert problem(answer) == (503, "not_sent")
    assert answer.headers["retry-after"] == "1"


async def test_the_gateway_is_ready_with_one_ready_process_of_each_service(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    async with Upstream(UNREADY) as unready:
        addresses = [unready.address, unready.address, behind.ingest.address]
        await behind.tell(addresses)
        one = [(await client.get("/readyz")).status_code for _ in range(3)]
        await behind.tell(addresses, [unready.address])
        half = await client.get("/readyz")

    assert one == [200] * 3
    assert problem(half) == (503, "not_ready")


async def test_the_gateway_is_alive_with_nobody_behind_it(behind: Behind, client: httpx.AsyncClient) -> None:
    await behind.tell([], [])

    assert (await client.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"content-length: 5\r\n", b"hello"), (b"transfer-encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n")],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("cut", [False, True], ids=["one packet", "two packets"])
async def test_the_body_of_a_request_that_offers_an_upgrade_arrives(
    behind: Behind, framing: bytes, body: bytes, *, cut: bool
) -> None:
    head = POST + UPGRADE + framing + b"\r\n"

    status = await behind.status(*([head, body] if cut else [head + body]))

    assert status == b"HTTP/1.1 200 OK\r\n"
    assert b"hello" in behind.ingest.requests[0]
    assert b"upgrade" not in behind.ingest.requests[0].lower()


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_once(behind: Behind) -> None:
    head = POST + b"connection: close\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"

    answers = await behind.until_closed(head + b"hello")

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"100", b"200"]
    assert behind.ingest.requests[0].endswith(b"\r\n\r\nhello")
    assert b"expect" not in behind.ingest.requests[0].lower()


async def test_a_head_has_a_bound(behind: Behind) -> None:
    status = await behind.status(POST + b"x-long: " + b"a" * 140_000)

    assert status == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    assert behind.ingest.requests == []


async def test_a_head_that_a_service_refuses_by_its_length_is_answered_by_that_service(behind: Behind) -> None:
    behind.ingest.answer = b"HTTP/1.1 414 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

    status = await behind.status(b"POST /analytics?user=" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")

    assert status == b"HTTP/1.1 414 Request URI Too Long\r\n"
    assert len(behind.ingest.requests[0]) > 70_000


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(11):
        yield b"x" * 10_000


@pytest.mark.parametrize("content", [lambda: b"x" * 100_001, chunks], ids=["length", "chunked"])
async def test_a_body_has_a_bound(
    behind: Behind, client: httpx.AsyncClient, content: Callable[[], bytes | AsyncIterator[bytes]]
) -> None:
    answer = await client.post("/v1/actions", content=content())

    assert problem(answer) == (413, "body_too_large")
    assert behind.ingest.requests == []


async def test_broken_chunks_are_the_client_s_fault(behind: Behind) -> None:
    answer = await behind.until_closed(POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"http_malformed"' in answer


@pytest.mark.parametrize(
    "stalling",
    [
        b"",
        b"POST /v1",
        POST + b"content-length: 100\r\n\r\nabc",
        POST + b"content-length: 99999\r\n\r\nabc",
        POST + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        POST + b"expect: 100-continue\r\ncontent-length: 100\r\n\r\n",
    ],
    ids=["nothing", "head", "body", "large body", "chunks", "expect"],
)
async def test_a_client_that_stalls_is_left_and_leaves_no_descriptor(behind: Behind, stalling: bytes) -> None:
    (caddy,) = (one for one in psutil.process_iter() if _listens(one, behind.port))
    before = caddy.num_fds()

    await asyncio.gather(*(behind.until_closed(stalling) for _ in range(20)))

    async with asyncio.timeout(SECONDS):
        while caddy.num_fds() > before + 5:  # noqa: ASYNC110 - another process: nothing here is told when it closes one
            await asyncio.sleep(0.01)


def _listens(process: psutil.Process, port: int) -> bool:
    return process.name() == "caddy" and any(
        one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in process.net_connections()
    )


async def test_the_page_of_documentation_loads_nothing_from_elsewhere(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    document = {"info": {"version": "1"}, "paths": {"/analytics": {"get": {}}}}
    write_pages(behind.folder / "pages", {"ingest": document, "aggregator": document})

    page = await client.get("/docs")

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    assert "//" not in "".join(loaded)
    assert (await client.get("/openapi.json")).json()["paths"] == document["paths"]
    assert page.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert {(await client.get(path)).status_code for path in loaded} == {200}
    assert behind.aggregator.requests == []


async def test_a_page_that_is_not_there_is_a_problem(behind: Behind, client: httpx.AsyncClient) -> None:
    write_pages(behind.folder / "pages", {})

    for path in ("/docs/nothing", "/docs/", "/docs/files/", "/docs/files"):
        assert problem(await client.get(path)) == (404, "not_found")
    assert problem(await client.post("/openapi.json")) == (405, "method_not_allowed")


async def test_a_killed_gateway_starts_again_in_its_folder(tmp_path: Path) -> None:
    async with AsyncExitStack() as exits:
        ingest = await exits.enter_async_context(Upstream())
        behind = Behind(tmp_path, ingest, ingest)
        gateway = behind.gateway([ingest.address], [ingest.address])
        for _ in range(2):
            gateway.start()
            await asyncio.to_thread(gateway.wait_until_ready)
            await behind.tell([])
            await asyncio.to_thread(gateway.kill)


async def test_a_request_for_another_host_is_a_problem_and_is_sent_to_nobody(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    for host in ("rebound.example", "rebound.example:8080", "localhost.rebound.example"):
        for method, path in (("POST", "/analytics?user=u"), ("GET", "/v1/hours"), ("GET", "/docs")):
            answer = await client.request(method, path, headers={"host": host})
            assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")
    assert behind.ingest.requests == behind.aggregator.requests == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/v1/hours", "/nothing"])
async def test_no_answer_is_taken_for_a_page_or_framed(behind: Behind, client: httpx.AsyncClient, path: str) -> None:
    write_pages(behind.folder / "pages", {})
    answer = await client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors " in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_what_a_service_says_about_its_page_is_left_alone(behind: Behind, client: httpx.AsyncClient) -> None:
    own = "default-src 'self'"
    head = f"HTTP/1.1 200 OK\r\ncontent-security-policy: {own}\r\ncontent-length: 0\r\n\r\n"
    behind.aggregator.answer = head.encode()
    answer = await client.get("/")
    assert answer.headers.get_list("content-security-policy") == [own]


async def test_with_tls_it_answers_who_trusts_its_authority_and_nobody_in_plain_text(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        upstreams = {"GATEWAY_INGEST": upstream.address, "GATEWAY_AGGREGATOR": upstream.address}
        gateway = Gateway(tmp_path / "gateway", free_port(), tmp_path / "log", upstreams, tls=True)
        gateway.start()
        try:
            await asyncio.to_thread(gateway.wait_until_ready)
            assert gateway.trusted is not None
            trusting = ssl.create_default_context(cafile=gateway.trusted)
            upstream.requests.clear()
            async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
                answer = await client.post(f"https://localhost:{gateway.port}/analytics?user=u")
                assert (answer.status_code, answer.text) == (200, "ok")
            assert upstream.requests[0].startswith(b"POST /analytics?user=u HTTP/1.1\r\n")
            assert b"x-forwarded-proto: https\r\n" in upstream.requests[0].lower()
            async with httpx.AsyncClient(trust_env=False) as client:
                with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                    await client.get(f"https://localhost:{gateway.port}/v1/hours")
                assert (await client.get(f"http://localhost:{gateway.port}/v1/hours")).status_code == 400
            async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
                url = f"https://localhost:{gateway.port}/analytics?user=u"
                answer = await client.post(url, headers={"host": "rebound.example"})
                assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")
            assert len(upstream.requests) == 1
        finally:
            gateway.stop()


async def test_what_the_gateway_logs_about_a_request_names_no_user_and_no_key(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
        await behind.tell([f"127.0.0.1:{server.sockets[0].getsockname()[1]}"])
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/analytics?user=only-alice&event=click", headers={"x-api-key": "only-ours"})
        while "/analytics" not in behind.log.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    assert "only-" not in behind.log.read_text()
