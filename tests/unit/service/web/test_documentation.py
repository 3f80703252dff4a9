"""The page that shows what a service offers."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from service.web.documentation import documentation, loaded_files, page_titled


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(documentation("An API"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


async def test_all_that_the_page_loads_is_there_and_comes_from_the_service(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == len(loaded_files())
    for address in addresses:
        assert address.startswith("/docs/files/")
        answer = await client.get(address)
        assert (answer.status_code, answer.headers["x-content-type-options"]) == (200, "nosniff")
    assert "<script>" not in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]


async def test_nothing_else_of_the_package_is_served(client: httpx.AsyncClient) -> None:
    for name in ("redoc.standalone.js", "..%2f__init__.py", "nothing"):
        assert (await client.get(f"/docs/files/{name}")).status_code == 404


def test_a_title_is_text() -> None:
    assert b"<b>" not in page_titled("<b>")
