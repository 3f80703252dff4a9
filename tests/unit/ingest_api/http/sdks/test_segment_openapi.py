import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from contract.log.action import Action
from ingest_api.app import create_app
from ingest_api.decoding.segment.calls import Call
from ingest_api.decoding.segment.event_rules import CALL_TYPES
from ingest_api.errors import NotPublished
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
EVENTS = ",".join(f"{one}=click" for one in CALL_TYPES)
PATHS = sorted(path for path in SEGMENT_PATHS if not path.endswith("/"))
"""One has a twin for an SDK that ends it in a slash."""
CALL = {"userId": "u", "timestamp": NOW, "batch": [{"userId": "u", "timestamp": NOW, "type": "track"}]}
"""One call, and a batch of one."""


def an_app(log: MemoryPublisher, **settings: Any) -> FastAPI:  # noqa: ANN401 - settings are of many types
    settings = {"segment_events": EVENTS, "ingest_body_timeout": timedelta(milliseconds=10), **settings}
    return create_app(IngestSettings(**settings), log, clock=lambda: NOW)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://api")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return an_app(MemoryPublisher()).openapi()


async def test_the_example_of_each_body_is_counted_and_answered_as_documented(document: dict[str, Any]) -> None:
    log = MemoryPublisher()
    async with client_of(an_app(log)) as client:
        for path in PATHS:
            told = document["paths"][path]["post"]
            answer = await client.post(path, json=told["requestBody"]["content"]["application/json"]["example"])
            example = told["responses"]["200"]["content"]["application/json"]["example"]
            assert (answer.status_code, answer.json()) == (200, example), path
            assert told["tags"] == ["sdks"]
            assert told["summary"]
    assert log.published == [Action(1_700_000_000_250, "u1", "click", "7f0c")] * len(PATHS)


def test_every_field_of_a_call_that_is_read_is_documented(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Call"]
    assert list(schema["properties"]) == list(Call.__struct_encode_fields__)


async def test_the_header_that_tells_of_a_rejection_is_documented(document: dict[str, Any]) -> None:
    async with client_of(an_app(MemoryPublisher())) as client:
        answer = await client.post("/v1/track", json={})
    (header,) = document["paths"]["/v1/track"]["post"]["responses"]["200"]["headers"]
    assert answer.headers[header] == "user_missing: user is required"


async def hanging() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


PROVOKED: dict[int, dict[str, Any]] = {
    400: {"content": b""},
    408: {"content": hanging},
    413: {"content": b"," * 2000},
    415: {"content": b"{}", "headers": {"Content-Encoding": "br"}},
    429: {"content": json.dumps(CALL)},
    500: {"content": json.dumps(CALL)},
    503: {"content": json.dumps(CALL)},
}


def test_the_same_problems_are_documented_for_all_paths(document: dict[str, Any]) -> None:
    for path in PATHS:
        responses = document["paths"][path]["post"]["responses"]
        assert {int(status) for status in responses if status.isdigit()} == {200, *PROVOKED}, path


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
@pytest.mark.parametrize("status", PROVOKED)
async def test_each_documented_problem_comes_with_the_members_and_headers_it_says(
    document: dict[str, Any], path: str, status: int
) -> None:
    log = MemoryPublisher()
    log.failure = NotPublished("away") if status in (429, 503) else None
    if status == 500:
        log.published = None  # type: ignore[assignment] # so that publishing fails in a way nobody thought of
    app = an_app(log, segment_unavailable_status="429" if status == 429 else "503", ingest_max_lines=10)
    content = PROVOKED[status]["content"]
    async with client_of(app) as client:
        answer = await client.post(
            path, content=content() if callable(content) else content, headers=PROVOKED[status].get("headers")
        )
    told = document["paths"][path]["post"]["responses"][str(status)]
    assert answer.status_code == status
    assert list(told["content"]) == [answer.headers["content-type"]]
    schema = document["components"]["schemas"]["Problem"]
    assert {*schema["required"], "message"} <= answer.json().keys() <= schema["properties"].keys()
    documented = {name.lower() for name in told.get("headers", {})}
    assert documented == {"retry-after", "accept-encoding", "accept-post"} & answer.headers.keys()
