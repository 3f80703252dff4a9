import logging
from collections.abc import Iterator

import pytest
from simulated_reader import NoLoop

from aggregator import hour_users


@pytest.fixture(autouse=True)
def no_logs_of_retries() -> Iterator[None]:
    """A run retries thousands of times, as it should."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def no_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hour_users, "asyncio", NoLoop)
