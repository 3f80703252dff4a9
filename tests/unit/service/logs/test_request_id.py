"""Each request has an id that its answer, and what is logged about it, carry."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from service.logs.request_id import RequestIds, request_id

logger = logging.getLogger("an_app")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/id")
    async def own() -> str:
        return request_id.get()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(RequestIds(app)), base_url="http://service") as client:
        yield client


@pytest.mark.parametrize("own", ["1", "7f0c-11:2026/a=b_c.d+e@f", "x" * 128])
async def test_a_well_formed_id_is_taken_and_returned(client: httpx.AsyncClient, own: str) -> None:
    answer = await client.get("/id", headers={"x-request-id": own})
    assert answer.headers.get_list("x-request-id") == [answer.json()] == [own]


@pytest.mark.parametrize("own", ["", "a b", "x" * 129, 'a"b', "é"])
async def test_any_other_is_replaced(client: httpx.AsyncClient, own: str) -> None:
    answer = await client.get("/id", headers={"x-request-id": own.encode("latin-1")})
    assert answer.headers["x-request-id"] == answer.json() != own
    assert answer.json()


async def test_each_request_without_one_is_given_one_of_its_own(client: httpx.AsyncClient) -> None:
    given = [(await client.get(path)).headers["x-request-id"] for path in ("/id", "/id", "/nothing")]
    assert len(set(given)) == 3
