"""What the worker's pages write into its log."""

import logging
from collections.abc import Iterator

import pytest
from aiohttp.http_exceptions import BadStatusLine

from stream_workers.pages.middlewares import MalformedRequests


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
