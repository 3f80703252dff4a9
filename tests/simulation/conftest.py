import logging
from collections.abc import Iterator

import pytest

from aggregator.hours import unique_users
from stream_workers.flush import compaction
from support.simulation.reader import NoLoop


@pytest.fixture(autouse=True)
def no_logs_of_retries() -> Iterator[None]:
    """A run retries thousands of times, as it should."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def segments_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hashes are too large for one point, and flushes go on between the parts of a full segment."""
    monkeypatch.setattr("contract.windows.segment.MAX_SEGMENT_HASHES", 6)
    monkeypatch.setattr(compaction, "PARTS_AT_ONCE", 1)


@pytest.fixture(autouse=True)
def no_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unique_users, "asyncio", NoLoop)
