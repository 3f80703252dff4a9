from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from service.keys.guard import KeyGuard
from service.keys.key import Key
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


@pytest.mark.parametrize("left", [[], [key_of("uac_read", "admin")]])
async def test_an_answer_that_goes_on_ends_once_its_key_allows_it_no_more(tmp_path: Path, left: list[Key]) -> None:
    file, seconds = write_keys(tmp_path / "keys", [key_of("uac_read", "read")]), Seconds()

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        write_keys(file, left)
        seconds.now += 1
        await send({"type": "http.response.body", "body": b"three", "more_body": True})

    guarded = Guarded(endless, KeyGuard(KeyRing(file, lambda: 0, seconds), KeyScope.READ, {}), lambda *_: Response())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://api") as client:
        answer = await client.get("/live", headers=bearer("uac_read"))
    assert answer.content == b"onetwo"


async def test_what_is_no_request_passes(guarded: Guarded, seen: list[str]) -> None:
    async def unused(*_: object) -> dict[str, object]:
        raise AssertionError

    await guarded({"type": "lifespan"}, unused, unused)  # type: ignore[arg-type] # neither is called
    assert seen == ["lifespan"]
