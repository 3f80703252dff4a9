"""The product as clients meet it, and an oracle of what they sent."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import httpx

from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline


class Product:
    """Real Kafka and InfluxDB with an ingest API, a worker and an aggregator of a test's own."""

    def __init__(self, pipeline: Pipeline, http: httpx.AsyncClient) -> None:
        self._pipeline = pipeline
        self._http = http

    @property
    def url(self) -> str:
        """The ingest API's address: http, host and port."""
        return self._pipeline.ingest_url

    @property
    def port(self) -> int:
        """The ingest API's port on 127.0.0.1."""
        return self._pipeline.ingest.port

    async def metric(self, name: str, **labels: str) -> int:
        """A counter of the ingest API, summed over the labels that are not named; 0 if it is not there yet."""
        told = (await self._http.get(f"{self.url}/metrics")).text
        found = re.findall(rf"^collector_ingest_{name}_total(?:\{{(.*)\}})? (\S+)$", told, re.MULTILINE)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return int(sum(float(value) for told_labels, value in found if all(one in told_labels for one in wanted)))

    async def until_accepted(self, actions: int) -> None:
        """Returns once Kafka has acknowledged so many, retries included: some clients do not say when they are done."""
        while await self.metric("actions_accepted") < actions:  # noqa: ASYNC110 - it is another process that we wait for
            await asyncio.sleep(0.05)

    async def differences(self, sent: Iterable[dict[str, Any]]) -> dict[int, tuple[str, str]]:
        """The hours whose answer is not what these actions make, each sent once or with ids: (expected, answered)."""
        await until_caught_up(self._http, self._pipeline.aggregator_url)
        return await differences(self._http, self._pipeline.aggregator_url, count(sent))
