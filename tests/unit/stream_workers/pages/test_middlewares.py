"""For whom the worker's pages are, and what they write into its log."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadStatusLine
from aiohttp.test_utils import TestClient, TestServer

from service.web.hosts import AllowedHosts
from stream_workers.pages.middlewares import MalformedRequests, web_options


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log, own = logging.getLogger("aiohttp.server"), MalformedRequests()
    log.addFilter(own)
    yield log
    log.removeFilter(own)


def test_a_request_that_is_no_http_is_one_warning_without_its_bytes(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    log.error("Error handling request from %s", "127.0.0.1", exc_info=BadStatusLine("\x00GET"))
    assert [(record.levelname, record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("WARNING", "refused a request that is no HTTP", None)
    ]


def test_an_error_of_ours_keeps_its_traceback(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError("ours")
    log.error("Error handling request from %s", "127.0.0.1", exc_info=error)
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "Error handling request from 127.0.0.1")
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.fixture
async def pages(request: pytest.FixtureRequest) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Pages of a process that listens on an address, for the hosts that a setting names."""
    listens_on, *allowed = getattr(request, "param", ["127.0.0.1"])
    app = web.Application(**web_options(AllowedHosts(allowed, listens_on), None))

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="told")

    app.router.add_get("/{page}", answer)
    async with TestClient(TestServer(app)) as client:
        yield client


async def status(pages: TestClient[web.Request, web.Application], page: str, host: str) -> int:
    return (await pages.get(page, headers={"Host": host})).status


@pytest.mark.parametrize(
    ("page", "host", "expected"),
    [
        ("/healthz", "evil.example", 200),
        ("/readyz", "evil.example", 200),
        ("/metrics", "10.1.2.3:8080", 200),
        ("/metrics", "[::1]:8080", 200),
        ("/metrics", "localhost:8080", 200),
        ("/metrics", "evil.example", 421),
        ("/metrics", "evil.example:8080", 421),
        ("/metrics?x", "10.1.2.3", 421),
        ("/stats", "127.0.0.1:8080", 200),
        ("/stats", "10.1.2.3", 421),
    ],
)
async def test_a_page_of_another_site_that_has_its_name_lead_to_loopback_is_told_nothing(
    pages: TestClient[web.Request, web.Application], page: str, host: str, expected: int
) -> None:
    assert await status(pages, page, host) == expected


@pytest.mark.parametrize("pages", [["127.0.0.1", "worker.example"], ["0.0.0.0"]], indirect=True, ids=["named", "all"])
async def test_hosts_that_the_setting_names_are_answered_for_and_all_where_it_names_none(
    pages: TestClient[web.Request, web.Application],
) -> None:
    assert await status(pages, "/metrics", "worker.example:8080") == 200


async def test_a_refused_host_is_told_as_a_problem(pages: TestClient[web.Request, web.Application]) -> None:
    answer = await pages.get("/metrics", headers={"Host": "evil.example"})

    told = await answer.json(content_type="application/problem+json")
    assert (told["code"], told["field"], told["value"]) == ("host_not_allowed", "Host", '"evil.example"')
