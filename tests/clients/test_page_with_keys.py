"""The page in Chromium where keys are on: the browser asks for a user name, and that is the key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from aggregator.app import create_app
from aggregator.settings import AggregatorSettings
from service.http_protocol import BoundedHttpProtocol
from support.clients.browser import chromium
from support.fixtures.aggregator import AggregatorFixture, click
from support.fixtures.keys import key_of, write_keys

if TYPE_CHECKING:
    from playwright.async_api import Response

pytestmark = [pytest.mark.clients, pytest.mark.timeout(120)]


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[str]:
    """The aggregator, with three users in the current hour, and a key that reads."""
    fixture = AggregatorFixture()
    fixture.append(0, *(click(user) for user in ("a", "b", "c")))
    await fixture.count()
    keys = write_keys(tmp_path / "keys", [key_of("uac_read", "read"), key_of("uac_write", "write")])
    app = create_app(AggregatorSettings(keys_file=keys), fixture.store, fixture.end_offsets, fixture.clock)
    config = Config(app, log_config=None, proxy_headers=False, server_header=False)
    loop = asyncio.get_running_loop()
    async with app.router.lifespan_context(app):
        server = await loop.create_server(lambda: BoundedHttpProtocol(config, ServerState(), {}, loop), "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        app.state.on_stop()
        server.close()


async def test_who_types_a_key_sees_the_hour_as_it_moves(origin: str) -> None:
    answers: list[Response] = []
    async with chromium() as browser:
        context = await browser.new_context(http_credentials={"username": "uac_read", "password": ""})
        page = await context.new_page()
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - playwright marks what it is handed
        async with page.expect_response(lambda answer: answer.url.endswith("/v1/live")) as live:
            await page.goto(origin)
        assert (await live.value).status == 200
        await page.get_by_text("3", exact=True).first.wait_for()
    refused = [answer.url for answer in answers if answer.status in (401, 403)]
    # The browser learns at the first address that a key is wanted.
    assert set(refused) <= {f"{origin}/"}
    assert any("/v1/hours" in answer.url for answer in answers)


@pytest.mark.parametrize(("key", "status"), [("uac_other", 401), ("uac_write", 403)])
async def test_who_types_a_key_that_does_not_read_sees_nothing(origin: str, key: str, status: int) -> None:
    async with chromium() as browser:
        context = await browser.new_context(http_credentials={"username": key, "password": ""})
        answer = await (await context.new_page()).goto(origin)
        assert answer is not None
        assert answer.status == status


async def test_who_types_none_is_asked_for_one(origin: str) -> None:
    async with chromium() as browser:
        # Nobody is there to type it.
        with pytest.raises(Exception, match="ERR_INVALID_AUTH_CREDENTIALS"):
            await (await browser.new_page()).goto(origin)
