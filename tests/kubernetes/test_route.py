"""The Gateway API's route, held against what the services say that they answer; no gateway is here to carry it out."""

from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from support.kubernetes.stack import Stack

ROUTE: Final = Path(__file__).parents[2] / "deploy" / "kubernetes" / "components" / "gateway" / "route.yaml"
FOR_THE_CLUSTER: Final = {"/healthz", "/readyz", "/metrics"}


def backend(method: str, path: str) -> str | None:
    """Whom the route leads to: an exact path is first, then the longer prefix, then a method."""
    found = []
    for rule in yaml.safe_load(ROUTE.read_text())["spec"]["rules"]:
        (service,) = rule["backendRefs"]
        for match in rule["matches"]:
            wanted = match["path"]
            exact = wanted["type"] == "Exact" and path == wanted["value"]
            below = wanted["type"] == "PathPrefix" and f"{path}/".startswith(wanted["value"].rstrip("/") + "/")
            if (exact or below) and match.get("method", method) == method:
                found.append(((exact, len(wanted["value"]), "method" in match), service["name"]))
    return max(found)[1] if found else None


def answered(url: str) -> set[tuple[str, str]]:
    """Each method and path of a service's own document."""
    paths: dict[str, Any] = httpx.get(f"{url}/openapi.json", timeout=60).json()["paths"]
    return {(method.upper(), path.replace("{hour}", "2026-01-01T00")) for path in paths for method in paths[path]}


@pytest.mark.timeout(900)
def test_each_path_leads_to_the_service_that_answers_it(stack: Stack) -> None:
    wanted = dict.fromkeys(answered(stack.ingest), "ingest")
    wanted |= dict.fromkeys(answered(stack.aggregator), "aggregator")

    public = {request: service for request, service in wanted.items() if request[1] not in FOR_THE_CLUSTER}
    assert {request: backend(*request) for request in public} == public


@pytest.mark.parametrize("path", sorted(FOR_THE_CLUSTER))
def test_what_is_for_the_cluster_is_led_nowhere(path: str) -> None:
    assert backend("GET", path) is None


def test_a_browser_may_ask_first_and_finds_the_page() -> None:
    assert backend("OPTIONS", "/analytics") == "ingest"
    assert backend("GET", "/") == backend("GET", "/page/page.js") == "aggregator"
