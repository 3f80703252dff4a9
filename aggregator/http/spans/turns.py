"""How many spans are read at a time: each may take seconds, and all take turns at the same few connections."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import Request, Response
from starlette.types import Receive

from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from contract.errors import CollectorError
from service.client import ClientNames
from service.keys.middleware import KEY_NAME

_LEFT: Final = 499
"""What metrics name a request whose client left, as other servers do; nobody is sent it."""


class TooManySpans(CollectorError):
    """As many spans are being read as may be, of all clients or of this one; try again later."""


class SpanTurns:
    """Bounds the spans in progress in this process, and each client's share of them."""

    def __init__(self, settings: AggregatorSettings, metrics: Metrics) -> None:
        self._most = settings.aggregator_spans
        self._most_of_one = settings.aggregator_client_spans
        self._clients = ClientNames(settings.trusted_proxies)
        self._by_client: Counter[str] = Counter()
        self._metrics = metrics

    async def answer(self, request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
        """What `work` gives; where the client leaves before, it is cancelled. Raises TooManySpans, and as `work`."""
        with self._taken_by(self._name_of(request)):
            answering = asyncio.ensure_future(work())
            leaving = asyncio.ensure_future(_left(request.receive))
            try:
                await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    return answering.result()
                self._metrics.spans_given_up.inc()
                return Response(status_code=_LEFT)
            finally:
                leaving.cancel()
                answering.cancel()
                # What fails while it is given up is nobody's matter.
                await asyncio.gather(answering, leaving, return_exceptions=True)

    def _name_of(self, request: Request) -> str:
        """A key is one client, wherever it is used; without keys, an address is."""
        key: str | None = request.scope.get(KEY_NAME)
        return self._clients.of(request.scope) if key is None else f"key {key}"

    @contextmanager
    def _taken_by(self, client: str) -> Iterator[None]:
        if self._by_client.total() >= self._most:
            raise self._refused("all", f"this process reads {self._most} spans at a time, and they are taken")
        if self._by_client[client] >= self._most_of_one:
            detail = f"one client is read {self._most_of_one} spans at a time, and this one has asked for as many"
            raise self._refused("of_one", detail)
        self._by_client[client] += 1
        try:
            yield
        finally:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    def _refused(self, limit: str, detail: str) -> TooManySpans:
        self._metrics.spans_refused.labels(limit).inc()
        return TooManySpans(detail)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
