"""What the other tests of this folder rest on: the product counts what a plain client sends, and Node runs."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.clients.lost_answers import LostAnswers
from support.clients.node import run_node
from support.clients.product import Product

pytestmark = pytest.mark.clients


async def test_what_a_plain_client_sends_is_counted_and_nothing_else(product: Product, http: httpx.AsyncClient) -> None:
    now = time.time_ns() // 1_000_000
    sent = [{"timestamp": now, "user": f"u{index % 3}", "event": "click", "id": str(index)} for index in range(10)]

    for _ in range(2):
        answer = await http.post(f"{product.url}/v1/actions", json=sent)
        assert answer.json() == {"accepted": 10, "rejected": []}

    await product.until_accepted(20)
    assert await product.differences(sent) == {}
    assert await product.differences(sent[:9]) != {}


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_sent_again_because_its_answer_got_lost_is_counted_once(
    product: Product, http: httpx.AsyncClient, *, chunked: bool
) -> None:
    sent = [{"timestamp": 1_700_000_000_000, "user": "u", "event": "click", "id": "1"}]

    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps(sent).encode()

    async with LostAnswers(product.port) as proxy:
        body: dict[str, Any] = (
            {"content": chunks(), "headers": {"content-type": "application/json"}} if chunked else {"json": sent}
        )
        statuses = [(await http.post(f"{proxy.url}/v1/actions", **body)).status_code]
        statuses.append((await http.post(f"{proxy.url}/v1/actions", json=sent)).status_code)

    assert (statuses, len(proxy.lost), len(proxy.delivered)) == ([503, 200], 1, 1)
    assert await product.metric("actions_accepted") == 2
    assert await product.differences(sent) == {}


async def test_scripts_of_node_take_arguments_and_say_what_they_have_to(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text("import process from 'node:process'; console.log(JSON.stringify(process.argv.slice(2)))")
    assert json.loads(await run_node(script, "a", "b")) == ["a", "b"]

    script.write_text("console.error('no such thing'); process.exit(3)")
    with pytest.raises(AssertionError, match="no such thing"):
        await run_node(script)
