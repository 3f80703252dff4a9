"""The stores that the suite runs on: memory, InfluxDB 1.8 and InfluxDB 2.7."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
from store_subject import Actions, Subject, now, raw_actions

from contract.store import Store
from deploy.local.influxdb2 import ORG, InfluxDB2
from deploy.local.influxdb2_build import influxd2
from deploy.local.ports import free_port
from stores.influx import InfluxStore
from stores.influx_setup import create_buckets
from stores.memory import MemoryStore
from stores.settings import InfluxSettings


@pytest.fixture(scope="session")
def influx2_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB2]:
    """InfluxDB 2.7. Where it was not built, tests are skipped on a laptop and fail in CI."""
    if not influxd2().is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no InfluxDB 2.7: `make test-influx2` builds it")
    folder = tmp_path_factory.mktemp("influxdb2")
    with InfluxDB2(influxd2(), folder, free_port(), secrets.token_urlsafe(16)) as server:
        yield server


@pytest.fixture
async def influx1(influx: InfluxSettings) -> InfluxSettings:
    """InfluxDB 1.8 with two empty buckets that only this test knows."""
    await create_buckets(influx)
    return influx


@pytest.fixture
async def influx2(influx2_server: InfluxDB2) -> InfluxSettings:
    """InfluxDB 2.7 with two empty buckets that only this test knows."""
    name = secrets.token_hex(6)
    settings = InfluxSettings(
        influx_url=influx2_server.url,
        influx_token=influx2_server.token,
        influx_org=ORG,
        raw_bucket=f"actions_{name}/autogen",
        hourly_bucket=f"hourly_{name}/autogen",
    )
    await create_buckets(settings)
    return settings


INFLUX = [
    pytest.param("influx1", id="influx-1.8"),
    pytest.param("influx2", id="influx-2.7", marks=pytest.mark.influx2),
]


@pytest.fixture(params=INFLUX)
def influx_settings(request: pytest.FixtureRequest) -> InfluxSettings:
    """Each InfluxDB in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[pytest.param(None, id="memory"), *INFLUX])
def where(request: pytest.FixtureRequest) -> InfluxSettings | None:
    """Each place for a store in turn, empty; None: memory."""
    return None if request.param is None else request.getfixturevalue(request.param)


@pytest.fixture
async def subject(where: InfluxSettings | None) -> AsyncIterator[Subject]:
    """Each store in turn, empty."""
    if where is None:
        memory = MemoryStore()

        async def held() -> Actions:
            return dict(memory.actions)

        yield Subject(memory, held)
        return
    store = InfluxStore(where, now)
    yield Subject(store, lambda: raw_actions(where))
    await store.close()


@pytest.fixture
def store(subject: Subject) -> Store:
    """The store under test."""
    return subject.store
