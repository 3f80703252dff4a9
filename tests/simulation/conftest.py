import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_logs_of_retries() -> Iterator[None]:
    """A run retries thousands of times, as it should."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
