"""Asking running services what they offer."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

_SECONDS: Final = 10.0


def fetch_documents(services: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The OpenAPI document of each service, whose URL is given. Raises httpx.HTTPError."""
    with httpx.Client(timeout=_SECONDS, trust_env=False) as client:
        return {name: client.get(f"{url}/openapi.json").raise_for_status().json() for name, url in services.items()}
