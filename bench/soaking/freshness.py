"""How long it takes from the answer to a POST until an answer counts it, asked again and again beside a load."""

import asyncio
import random
import time
from array import array
from typing import Final

import httpx

from bench.load.traffic import HOUR_MS, Made, this_hour

HOURS_AGO: Final = 72
"""The probes' own hour: the load has none so old."""

_SECONDS_BETWEEN: Final = 1.0
_LONGEST: Final = 600.0
"""Seconds. A soak whose lag grew is to end with its figures, not with the first probe that was late."""


class Freshness:
    """Posts one action about every second and waits for an answer that counts it."""

    def __init__(self, ingest_port: int, aggregator_port: int) -> None:
        """Sends nothing yet."""
        self.action = Made(this_hour() - HOURS_AGO * HOUR_MS, "prober", "click")
        self.acknowledged = 0
        """Probes so far."""
        self.seconds = array("d")
        """Of each that was counted."""
        self._ended = False
        self._ingest = f"http://127.0.0.1:{ingest_port}/analytics"
        self._aggregator = f"http://127.0.0.1:{aggregator_port}/analytics"

    async def probe(self) -> None:
        """Until `end`; what was acknowledged by then is waited for."""
        waits = random.Random(7)  # noqa: S311 - they need no secrecy
        async with httpx.AsyncClient(timeout=_LONGEST) as http:
            while not self._ended:
                # At even times the probes might always meet the same moment of a flush interval.
                await asyncio.sleep(waits.uniform(0, 2 * _SECONDS_BETWEEN))
                position = await self._post(http)
                answered = time.monotonic()
                await self._until_counted(http, position)
                self.seconds.append(time.monotonic() - answered)

    def end(self) -> None:
        """No further probes."""
        self._ended = True

    def at_share(self, share: float) -> float:
        """The seconds that this share of the probes kept."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    async def _post(self, http: httpx.AsyncClient) -> str:
        answer = (await http.post(self._ingest, params=self.action._asdict())).raise_for_status()
        self.acknowledged += 1
        return str(answer.headers["Collector-Position"])

    async def _until_counted(self, http: httpx.AsyncClient, position: str) -> None:
        asked = {"timestamp": str(self.action.timestamp), "after": position, "wait": "30s"}
        async with asyncio.timeout(_LONGEST):
            while (await http.get(self._aggregator, params=asked)).raise_for_status().status_code != httpx.codes.OK:
                pass
