"""A proxy in front of InfluxDB that answers 503 and 429, before or after it forwarded the request."""

import random
from collections import Counter
from typing import Final

from support.faults.http_proxy import HttpProxy

_BODY: Final = b'{"error":"try again"}'
_REFUSALS: Final = ("503 Service Unavailable", "429 Too Many Requests")


class ErrorProxy(HttpProxy):
    """A share of all requests is refused; half of these are forwarded first."""

    def __init__(self, port: int, seed: int) -> None:
        super().__init__(port)
        self.share = 0.0
        self.refused: Counter[str] = Counter()
        """By the status, and whether the request was done."""
        self._rng = random.Random(seed)

    async def answer(self, request: bytes) -> bytes | None:
        if self._rng.random() >= self.share:
            return await self.forward(request)
        done, refusal = self._rng.random() < 0.5, self._rng.choice(_REFUSALS)
        if done:
            await self.forward(request)
        self.refused[f"{refusal[:3]} {'done' if done else 'not done'}"] += 1
        head = f"HTTP/1.1 {refusal}\r\nRetry-After: 1\r\nContent-Length: {len(_BODY)}\r\nConnection: close\r\n\r\n"
        return head.encode() + _BODY
