"""The product behind both of its addresses: the ingest API's own port, and the gateway as `collector up` runs it."""

import asyncio
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Self

import httpx

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from support.end_to_end.oracle import HOUR_MS, Expected, count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline

DOORS: Final = ("ingest", "gateway")

_FIRST_HOUR: Final = 1_600_000_000_000 // HOUR_MS * HOUR_MS


class Doors:
    """A running pipeline, and a gateway before it. Each test takes an hour of its own."""

    def __init__(self, folder: Path, pipeline: Pipeline) -> None:
        upstreams = {
            "GATEWAY_INGEST": f"127.0.0.1:{pipeline.ingest.port}",
            "GATEWAY_AGGREGATOR": f"127.0.0.1:{pipeline.aggregator.port}",
        }
        self._pipeline = pipeline
        self._gateway = Gateway(folder / "gateway", free_port(), folder / "gateway.log", upstreams)
        self._hour = _FIRST_HOUR

    def port(self, door: str) -> int:
        """One of DOORS."""
        return {"ingest": self._pipeline.ingest.port, "gateway": self._gateway.port}[door]

    def take_hour(self) -> int:
        """ms since the epoch: an hour that nobody else sends to."""
        self._hour += HOUR_MS
        return self._hour

    def differences(self, hour: int, sent: Iterable[dict[str, Any]]) -> dict[int, tuple[str, str]]:
        """Nothing if these actions, and no others, are counted in the hour; else (expected, answered)."""
        return asyncio.run(self._differences(hour, list(sent)))

    async def _differences(self, hour: int, sent: list[dict[str, Any]]) -> dict[int, tuple[str, str]]:
        expected = count(sent)
        assert set(expected) <= {hour}
        async with httpx.AsyncClient(timeout=60) as http:
            await until_caught_up(http, self._pipeline.aggregator_url)
            return await differences(http, self._pipeline.aggregator_url, expected or {hour: Expected()})

    def broken_off(self) -> int:
        """How many clients left before the end of their body, as the ingest API has noticed."""
        told = httpx.get(f"{self._pipeline.ingest_url}/metrics", timeout=60).text
        found = re.search(r'^collector_ingest_problems_total\{code="body_cut_off"\} (\S+)$', told, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def until_broken_off(self, bodies: int) -> None:
        """Returns once it has noticed so many."""
        while self.broken_off() < bodies:
            time.sleep(0.05)  # another process: nothing here is told

    def __enter__(self) -> Self:
        self._pipeline.start_worker()
        self._gateway.start()
        self._pipeline.wait_until_ready()
        self._gateway.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._gateway.kill()
        self._pipeline.close()
