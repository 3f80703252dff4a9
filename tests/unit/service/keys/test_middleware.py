from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from service.keys.guard import KeyGuard
from service.keys.key import Scope as KeyScope
from service.keys.keyring import KeyRing
from service.keys.middleware import Guarded
from support.fixtures.keys import Seconds, bearer, key_of, write_keys


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def guarded(tmp_path: Path, seen: list[str]) -> Guarded:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])
        if scope["type"] == "http":
            await PlainTextResponse("done")(scope, receive, send)

    def answer(error: Exception, path: str) -> Response:
        return PlainTextResponse(f"{path}: {type(error).__name__}", 418)

    keys = write_keys(tmp_path / "keys", [key_of("uac_read", "read")])
    return Guarded(app, KeyGuard(KeyRing(keys, lambda: 0, Seconds()), KeyScope.READ, {}), answer)


async def test_what_may_pass_reaches_the_app_and_what_may_not_is_answered_before(
    guarded: Guarded, seen: list[str]
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://api") as client:
        refused = await client.get("/hours")
        assert (refused.status_code, refused.text, seen) == (418, "/hours: Unauthenticated", [])
        passed = await client.get("/hours", headers=bearer("uac_read"))
        assert (passed.text, seen) == ("done", ["http"])


async def test_what_is_no_request_passes(guarded: Guarded, seen: list[str]) -> None:
    async def unused(*_: object) -> dict[str, object]:
        raise AssertionError

    await guarded({"type": "lifespan"}, unused, unused)  # type: ignore[arg-type] # neither is called
    assert seen == ["lifespan"]
