"""The product behind its gateway, whose store can be cut off and whose aggregator can be killed."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.end_to_end.pipeline import Pipeline
from support.services.tcp_gate import TcpGate


class PageProduct:
    """What people with a browser meet."""

    def __init__(self, pipeline: Pipeline, gateway: Gateway, store: TcpGate) -> None:
        self._pipeline = pipeline
        self.url = f"http://127.0.0.1:{gateway.port}"
        self.store = store

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60, trust_env=False).raise_for_status()

    def post(self, *actions: dict[str, Any]) -> None:
        """Returns once they are acknowledged."""
        answer = httpx.post(f"{self.url}/v1/actions", json=list(actions), timeout=60, trust_env=False)
        assert answer.json() == {"accepted": len(actions), "rejected": []}

    def kill_aggregator(self) -> None:
        self._pipeline.aggregator.kill()

    def start_aggregator(self) -> None:
        self._pipeline.aggregator.start()
        self._pipeline.aggregator.wait_until_ready()


@contextmanager
def page_product(
    folder: Path, bootstrap: str, create_topic: Callable[..., str], influx_url: str, name: str
) -> Iterator[PageProduct]:
    """All of it, empty, for the time of the block; `name` tells its buckets from others'."""
    target = urlsplit(influx_url)
    assert target.hostname is not None
    assert target.port is not None
    for database in (f"actions_{name}", f"hourly_{name}"):
        created = httpx.post(f"{influx_url}/query", params={"q": f'CREATE DATABASE "{database}"'}, timeout=60)
        created.raise_for_status()
    with ExitStack() as stack:
        store = stack.enter_context(TcpGate(target.hostname, target.port))
        influx = InfluxSettings(
            influx_url=store.url, raw_bucket=f"actions_{name}/autogen", hourly_bucket=f"hourly_{name}/autogen"
        )
        asyncio.run(create_buckets(influx))
        pipeline = Pipeline(folder, bootstrap, create_topic(4), create_topic(1), influx)
        stack.enter_context(closing(pipeline))
        pipeline.start_worker()
        pipeline.wait_until_ready()
        upstreams = {
            "GATEWAY_INGEST": f"127.0.0.1:{pipeline.ingest.port}",
            "GATEWAY_AGGREGATOR": f"127.0.0.1:{pipeline.aggregator.port}",
        }
        gateway = Gateway(folder / "gateway", free_port(), folder / "gateway.log", upstreams)
        gateway.start()
        stack.callback(gateway.kill)
        gateway.wait_until_ready()
        yield PageProduct(pipeline, gateway, store)
