"""What lets pages of other origins send actions and read the answers, errors too (CORS)."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.origin import ALL

_READABLE: Final = ("Accept-Post", "Allow", "Collector-Position", "Collector-Rejected", "Retry-After")
"""Headers of answers that scripts may read, beyond those that they always may."""
_MAX_AGE: Final = 7_200
"""Seconds for which a browser need not ask again; Chromium keeps no answer for longer."""


class CrossOrigin(CORSMiddleware):
    """Answers preflights, and marks the answers of an app as readable, for some paths and some origins.

    A preflight allows any header, since SDKs ask for names of their own, and any method: the answer to the request
    itself says which methods a path has, and is readable.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], paths: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=(ALL,),
            allow_headers=(ALL,),
            allow_credentials=ALL not in origins,
            # Some browsers ask for it where a public page calls a private address.
            allow_private_network=True,
            expose_headers=_READABLE,
            max_age=_MAX_AGE,
        )
        self._paths = frozenset(paths)

    def concerns(self, scope: Scope) -> bool:
        """Whether it is a request for one of the paths by a page of an allowed origin; others go to the app itself."""
        return scope["path"] in self._paths and any(
            name == b"origin" and self.is_allowed_origin(value.decode("latin-1")) for name, value in scope["headers"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_with_timing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Timing-Allow-Origin"] = headers["Access-Control-Allow-Origin"]
            await send(message)

        await super().__call__(scope, receive, send_with_timing)
