import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from contract.log.action import Action, parse_line
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
NDJSON = {"Content-Type": "application/x-ndjson"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def log() -> MemoryPublisher:
    return MemoryPublisher()


@pytest.fixture
def app(log: MemoryPublisher) -> FastAPI:
    settings = IngestSettings(ingest_oldest=0, ingest_max_lines=10, ingest_body_timeout=timedelta(milliseconds=10))
    return create_app(settings, log, clock=lambda: NOW)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as one:
        yield one


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/openapi.json")).json()
    return told


def parameters(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in document["paths"]["/analytics"]["post"]["parameters"]}


def breaks_a_claim(name: str, schema: dict[str, Any]) -> list[str]:
    """Values of a parameter just beyond what its schema allows."""
    if name == "timestamp":
        return [str(schema["minimum"] - 1), str(schema["exclusiveMaximum"]), "1.5", "x"]
    too_long = ["u" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
    return ["", "a\x00b", *too_long]


def keeps_all_claims(name: str, schema: dict[str, Any]) -> list[str]:
    """Values of a parameter at the edges of what its schema allows."""
    if name == "timestamp":
        return [str(schema["minimum"]), "1700000000000"]
    if name == "event":
        return ["click", "impression"]
    return ["u" * schema["minLength"], "ü" * schema["maxLength"], "\u200b"]


def follow(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a $ref names."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    assert isinstance(found, dict)
    return found


async def test_the_docs_page_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.status_code == 200
    assert "swagger-ui" in answer.text


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert "#/components/schemas/Problem" in references
    for reference in references:
        assert follow(document, {"$ref": reference})


async def test_the_example_of_each_parameter_makes_an_action_that_is_accepted(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    query = {name: one["example"] for name, one in parameters(document).items()}
    assert (await client.post("/analytics", params=query)).status_code == 204


async def test_each_parameter_is_required_or_not_as_it_says(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    told = parameters(document)
    for left_out, one in told.items():
        query = {name: other["example"] for name, other in told.items() if name != left_out}
        answer = await client.post("/analytics", params=query)
        assert answer.status_code == (400 if one["required"] else 204)


async def test_each_parameter_accepts_what_its_schema_allows_and_nothing_beyond(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    told = parameters(document)
    good = {name: one["example"] for name, one in told.items()}
    for name, one in told.items():
        for value in keeps_all_claims(name, one["schema"]):
            assert (await client.post("/analytics", params={**good, name: value})).status_code == 204, (name, value)
        for value in breaks_a_claim(name, one["schema"]):
            assert (await client.post("/analytics", params={**good, name: value})).status_code == 400, (name, value)


async def test_each_pattern_says_what_the_contract_says(document: dict[str, Any]) -> None:
    values = ["", "click", "Click", "a" * 32, "a" * 33, "1a", "a b", "a\x00", "a\x1f", "a\x7f", "a\x85", "ü", "a\n"]
    for name in ("event", "user", "id"):
        schema = parameters(document)[name]["schema"]
        for value in values:
            line = msgspec.json.encode({"timestamp": 1, "user": "u", "event": "click", "id": "i", name: value})
            allowed = re.fullmatch(schema["pattern"].replace("$", r"\Z"), value) is not None and schema.get(
                "minLength", 0
            ) <= len(value) <= schema.get("maxLength", 1000)
            assert isinstance(parse_line(line), Action) == allowed, (name, value)


async def test_the_example_of_each_body_is_accepted_whole(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    bodies = document["paths"]["/v1/actions"]["post"]["requestBody"]["content"]
    assert bodies.keys() == {"application/json", "application/x-ndjson"}
    for content_type, body in bodies.items():
        example = body["example"] if isinstance(body["example"], str) else json.dumps(body["example"])
        answer = await client.post("/v1/actions", content=example, headers={"Content-Type": content_type})
        told = document["paths"]["/v1/actions"]["post"]["responses"]["200"]["content"]["application/json"]["example"]
        assert (answer.status_code, answer.json()) == (200, told)


async def test_the_answer_to_a_batch_has_the_members_that_its_schema_names(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    answer = (await client.post("/v1/actions", content=b"?", headers=NDJSON)).json()
    content = document["paths"]["/v1/actions"]["post"]["responses"]["200"]["content"]["application/json"]
    schema = follow(document, content["schema"])
    assert answer.keys() == schema["properties"].keys()
    rejected = follow(document, schema["properties"]["rejected"]["items"])
    assert answer["rejected"][0].keys() == rejected["properties"].keys()


async def test_the_example_of_each_cloud_event_is_accepted_in_each_mode(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    operation = document["paths"]["/v1/events"]["post"]
    structured, batched, _ = (body.get("example") for body in operation["requestBody"]["content"].values())
    answer = await client.post("/v1/events", content=json.dumps(structured), headers=CLOUD_EVENT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content" not in operation["responses"]["204"]
    batch_type = {"Content-Type": list(operation["requestBody"]["content"])[1]}
    answer = await client.post("/v1/events", content=json.dumps(batched), headers=batch_type)
    assert answer.json() == operation["responses"]["200"]["content"]["application/json"]["example"]
    headers = {one["name"]: structured.get(one["name"][3:]) for one in operation["parameters"] if one["in"] == "header"}
    named = {name: value for name, value in headers.items() if value is not None}
    assert (await client.post("/v1/events", headers=named)).status_code == 204


async def test_the_schema_of_cloud_events_says_which_attributes_are_required(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    schema = document["components"]["schemas"]["CloudEvent"]
    example = document["paths"]["/v1/events"]["post"]["requestBody"]["content"][CLOUD_EVENT["Content-Type"]]["example"]
    event = {**example, "partitionkey": "u"}
    assert event.keys() == schema["properties"].keys()
    for left_out in event:
        body = json.dumps({name: value for name, value in event.items() if name != left_out})
        answer = await client.post("/v1/events", content=body, headers=CLOUD_EVENT)
        assert answer.status_code == (400 if left_out in schema["required"] else 204)


async def hanging() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


CE_HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "click", "ce-subject": "u"}
PROVOKED = {
    ("/analytics", 400): lambda client: client.post("/analytics"),
    ("/analytics", 408): lambda client: client.post("/analytics", content=hanging(), headers=FORM),
    ("/analytics", 413): lambda client: client.post("/analytics", content=b"x" * 65_537, headers=FORM),
    ("/analytics", 415): lambda client: client.post("/analytics", headers={**FORM, "Content-Encoding": "br"}),
    ("/analytics", 500): lambda client: client.post("/analytics?timestamp=1&user=u&event=click"),
    ("/analytics", 503): lambda client: client.post("/analytics?timestamp=1&user=u&event=click"),
    ("/v1/actions", 400): lambda client: client.post("/v1/actions", content=b""),
    ("/v1/actions", 408): lambda client: client.post("/v1/actions", content=hanging(), headers=NDJSON),
    ("/v1/actions", 413): lambda client: client.post("/v1/actions", json=[1] * 11),
    ("/v1/actions", 415): lambda client: client.post(
        "/v1/actions", content=b"{}", headers={"Content-Type": "text/csv"}
    ),
    ("/v1/actions", 422): lambda client: client.post("/v1/actions", json={}),
    ("/v1/actions", 500): lambda client: client.post(
        "/v1/actions", json=[{"timestamp": 1, "user": "u", "event": "click"}]
    ),
    ("/v1/actions", 503): lambda client: client.post(
        "/v1/actions", json=[{"timestamp": 1, "user": "u", "event": "click"}]
    ),
    ("/v1/events", 400): lambda client: client.post("/v1/events", content=b"{}", headers=CLOUD_EVENT),
    ("/v1/events", 408): lambda client: client.post("/v1/events", content=hanging(), headers=CLOUD_EVENT),
    ("/v1/events", 413): lambda client: client.post("/v1/events", json=[1] * 11, headers=CLOUD_EVENT),
    ("/v1/events", 415): lambda client: client.post("/v1/events", json={}),
    ("/v1/events", 422): lambda client: client.post("/v1/events", json=[{}], headers=CLOUD_EVENT),
    ("/v1/events", 500): lambda client: client.post("/v1/events", headers=CE_HEADERS),
    ("/v1/events", 503): lambda client: client.post("/v1/events", headers=CE_HEADERS),
}


def test_every_problem_that_is_documented_is_provoked_here(app: FastAPI) -> None:
    told = {
        (path, int(status))
        for path in ("/analytics", "/v1/actions", "/v1/events")
        for status in app.openapi()["paths"][path]["post"]["responses"]
        if status.isdigit() and int(status) >= 400
    }
    assert told == PROVOKED.keys()


@pytest.mark.parametrize(("path", "status"), PROVOKED)
async def test_each_documented_problem_comes_with_the_media_type_members_and_headers_it_says(
    client: httpx.AsyncClient, log: MemoryPublisher, document: dict[str, Any], path: str, status: int
) -> None:
    log.failure = NotPublished("away") if status == 503 else None
    if status == 500:
        log.published = None  # type: ignore[assignment] # so that publishing fails in a way nobody thought of
    answer = await PROVOKED[path, status](client)
    told = document["paths"][path]["post"]["responses"][str(status)]
    assert answer.status_code == status
    media_type = "application/json" if status == 422 else "application/problem+json"
    assert list(told["content"]) == [answer.headers["content-type"]] == [media_type]
    schema = follow(document, told["content"][media_type]["schema"])
    assert set(schema["required"]) <= answer.json().keys() <= schema["properties"].keys()
    documented = {name.lower() for name in told.get("headers", {})}
    sent = {"retry-after", "accept-post", "accept-encoding"} & answer.headers.keys()
    assert sent <= documented
    assert bool(sent) == bool(documented)


async def test_both_outcomes_of_a_503_are_the_ones_that_the_schema_names(
    client: httpx.AsyncClient, log: MemoryPublisher, document: dict[str, Any]
) -> None:
    outcomes = set()
    for failure in (NotPublished("away"), OutcomeUnknown("timed out")):
        log.failure = failure
        outcomes.add((await client.post("/analytics?timestamp=1&user=u&event=click")).json()["outcome"])
    schema = document["components"]["schemas"]["Problem"]["properties"]["outcome"]
    assert outcomes == {value for option in schema["anyOf"] for value in option.get("enum", [])}


async def test_success_without_a_body_is_documented_without_one(document: dict[str, Any]) -> None:
    assert "content" not in document["paths"]["/analytics"]["post"]["responses"]["204"]


async def test_every_route_is_documented_with_a_summary(document: dict[str, Any]) -> None:
    assert document["paths"].keys() == {
        *("/analytics", "/v1/actions", "/v1/pixel.gif", "/v1/events"),
        *("/healthz", "/readyz", "/metrics"),
        *(path for path in SEGMENT_PATHS if not path.endswith("/")),
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
