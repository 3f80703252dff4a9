"""A proxy in front of InfluxDB that delays one write until a test delivers it, and lets all others pass."""

import asyncio

from support.faults.http_proxy import HttpProxy, is_success, writes


class DelayedWrite(HttpProxy):
    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.intercepted = asyncio.Event()
        """Set once the write was intercepted."""
        self.progress_since = 0
        """Writes of progress that were acknowledged since then."""
        self._measurement: str | None = None
        self._request = b""

    def delay_next(self, measurement: str) -> None:
        """The next write that has a point of `measurement` is delayed; its client gets no answer."""
        self._measurement = measurement

    async def deliver(self) -> None:
        """The delayed write arrives, long after its client gave up."""
        answer = await self.forward(self._request)
        assert is_success(answer), answer

    async def answer(self, request: bytes) -> bytes | None:
        if self._measurement is not None and writes(request, self._measurement):
            self._measurement, self._request = None, request
            self.intercepted.set()
            return None
        answer = await self.forward(request)
        self.progress_since += self.intercepted.is_set() and writes(request, "progress") and is_success(answer)
        return answer
