"""The stores that the suite runs on: memory, InfluxDB 1.8 and InfluxDB 2.7."""

from collections.abc import AsyncIterator

import pytest

from contract.store import Store
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from stores.memory import MemoryStore
from support.stores.subject import Actions, Subject, now, raw_actions

INFLUX = [
    pytest.param("influx1", id="influx-1.8"),
    pytest.param("influx2", id="influx-2.7", marks=pytest.mark.influx2),
]


@pytest.fixture(params=INFLUX)
def influx_settings(request: pytest.FixtureRequest) -> InfluxSettings:
    """Each InfluxDB in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[pytest.param(None, id="memory"), *INFLUX])
def settings_or_none(request: pytest.FixtureRequest) -> InfluxSettings | None:
    """The settings of each store in turn; None: memory."""
    return None if request.param is None else request.getfixturevalue(request.param)


@pytest.fixture
async def subject(settings_or_none: InfluxSettings | None) -> AsyncIterator[Subject]:
    """Each store in turn, empty."""
    if settings_or_none is None:
        memory = MemoryStore()

        async def actions() -> Actions:
            return dict(memory.actions)

        yield Subject(memory, actions)
        return
    store = InfluxStore(settings_or_none, now)
    yield Subject(store, lambda: raw_actions(settings_or_none))
    await store.close()


@pytest.fixture
def store(subject: Subject) -> Store:
    """The store under test."""
    return subject.store
