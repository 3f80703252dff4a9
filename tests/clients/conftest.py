import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from stores.influx.settings import InfluxSettings
from support.builds.clients import missing, python_packages
from support.clients.product import Product, StartProduct
from support.end_to_end.pipeline import Pipeline

# Behind all others: what the product itself uses stays as it is. Modules of tests import these packages in functions,
# so that they can be collected where the packages are missing.
sys.path.append(str(python_packages()))


@pytest.fixture(autouse=True, scope="session")
def _clients() -> None:
    """What is missing skips tests on a laptop and fails them in CI."""
    if lacking := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {', '.join(lacking)}: `make test-clients` gets it")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture
async def start_product(
    influx1: InfluxSettings,
    tmp_path: Path,
    kafka_bootstrap: str,
    create_topic: Callable[..., str],
    http: httpx.AsyncClient,
) -> AsyncIterator[StartProduct]:
    """To be called once in a test: on topics and buckets of its own."""
    with ExitStack() as stack:

        def start(**settings: str) -> Product:
            environment = {f"COLLECTOR_{name.upper()}": value for name, value in settings.items()}
            pipeline = Pipeline(
                tmp_path,
                kafka_bootstrap,
                create_topic(4),
                create_topic(1),
                influx1,
                settings_by_module={"ingest_api": environment},
            )
            stack.enter_context(closing(pipeline))
            pipeline.start_worker()
            pipeline.wait_until_ready()
            return Product(pipeline, http)

        yield start


@pytest.fixture
def product(start_product: StartProduct) -> Product:
    """The product with the settings that it has by default."""
    return start_product()
