"""The guard before an app."""

from collections.abc import Callable
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.keys.errors import KeyRefused
from service.keys.guard import KeyGuard

KEY_NAME: Final = "collector.key"
"""Where the ASGI scope of a request that a key let pass has that key's name."""


class Guarded:
    """ASGI middleware: what the guard refuses is answered at once, before anything of it is read."""

    def __init__(self, app: ASGIApp, guard: KeyGuard, answer: Callable[[Exception, str], Response]) -> None:
        """`answer`: to an error on a path."""
        self._app = app
        self._guard = guard
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what may pass; an answer that goes on ends once its key allows it no more."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            caller = self._guard.admit(scope)
        except KeyRefused as error:
            await self._answer(error, scope["path"])(scope, receive, send)
            return
        if caller is not None:
            scope[KEY_NAME] = caller.key.name

        async def send_while_allowed(message: Message) -> None:
            if message.get("more_body") and not self._guard.still_admits(scope):
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, receive, send_while_allowed)
