"""`python -m deploy.gateway.pages`: writes the gateway's pages, once both services answer. Exit code 0, 1 given up."""

import sys
import time
from pathlib import Path
from typing import Final

import httpx
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.gateway.pages.fetching import fetch_documents
from deploy.gateway.pages.writing import write_pages

_PAUSE: Final = 1.0


class PagesSettings(BaseSettings):
    """From the environment: GATEWAY_ and a field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True)

    ingest: str = Field("ingest:8080", description="Address of an ingest API")
    aggregator: str = Field("aggregator:8080", description="Address of an aggregator")
    pages: Path = Field(Path("/srv/pages"), description="The folder that the gateway serves")
    pages_timeout: float = Field(180.0, gt=0, description="Longest wait for both services, in seconds")


def main() -> None:
    """Runs once."""
    settings = PagesSettings()
    services = {"ingest": f"http://{settings.ingest}", "aggregator": f"http://{settings.aggregator}"}
    give_up = time.monotonic() + settings.pages_timeout
    while True:
        try:
            write_pages(settings.pages, fetch_documents(services))
        except httpx.HTTPError as error:
            if time.monotonic() > give_up:
                sys.exit(f"gave up after {settings.pages_timeout:.0f} s: {error!r}")
            time.sleep(_PAUSE)  # a service that starts tells nobody; it is asked again
        else:
            return


if __name__ == "__main__":
    main()
