"""A proxy before InfluxDB that holds one write back, lets all others pass, and delivers it when it is told to."""

import asyncio

from support.faults.http_proxy import HttpProxy, is_success, writes


class HeldWrite(HttpProxy):
    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.held = asyncio.Event()
        """Set once a write was held back."""
        self.progress_since = 0
        """Writes of progress that passed and were acknowledged after it was held."""
        self._measurement: str | None = None
        self._request = b""

    def hold_next(self, measurement: str) -> None:
        """The next write that has a point of `measurement` is held; its client hears nothing."""
        self._measurement = measurement

    async def deliver(self) -> None:
        """The held write arrives, long after its client gave up."""
        answer = await self.forward(self._request)
        assert is_success(answer), answer

    async def answer(self, request: bytes) -> bytes | None:
        if self._measurement is not None and writes(request, self._measurement):
            self._measurement, self._request = None, request
            self.held.set()
            return None
        answer = await self.forward(request)
        self.progress_since += self.held.is_set() and writes(request, "progress") and is_success(answer)
        return answer
