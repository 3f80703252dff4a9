"""Each request has an id, so that an answer and the log lines about it can be found by each other."""

import re
import secrets
from contextvars import ContextVar
from itertools import count
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = b"x-request-id"

_WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
"""What proxies and tracing libraries send, and nothing that could be anything else in a log."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; empty outside of one."""


def is_well_formed(value: bytes) -> bool:
    """Whether a client's own id is taken."""
    return _WELL_FORMED.fullmatch(value) is not None


class RequestIds:
    """ASGI middleware around a whole app: takes a request's id from `X-Request-ID`, or makes one, and returns it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # A number costs a tenth of a random text.
        self._start = secrets.token_hex(8)
        self._numbers = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The id stays with the task: the server logs its errors afterwards."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = self._sent_in(scope) or b"%b-%x" % (self._start.encode(), next(self._numbers))
        request_id.set(own.decode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, own)]
            await send(message)

        await self._app(scope, receive, send_with_id)

    def _sent_in(self, scope: Scope) -> bytes | None:
        for name, value in scope["headers"]:
            if name == HEADER:
                return value if is_well_formed(value) else None
        return None
