"""The gateway: the same requests through it, and at the ingest port behind it; all processes share all cores."""

from functools import partial

from bench import api_cases
from bench.api_cases import Shape
from bench.case import Case, Contender, Figures
from bench.services import Services
from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService

_CONNECTIONS = 64


def single_posts(services: Services) -> Case:
    """Single POSTs over 64 connections."""
    return _case(services, "Gateway, single POSTs, 64 connections", api_cases.single_posts(_CONNECTIONS))


def batches(services: Services) -> Case:
    """Batches of 1,000."""
    return _case(services, "Gateway, batches of 1,000", api_cases.batches())


def _case(services: Services, name: str, shape: Shape) -> Case:
    return Case(
        name,
        [
            Contender("ours, through the gateway", partial(_run, services, shape, through_gateway=True)),
            Contender("ours, at the ingest port", partial(_run, services, shape, through_gateway=False)),
        ],
    )


def _run(services: Services, shape: Shape, *, through_gateway: bool) -> Figures:
    topic = services.topic()
    api = PythonService("ingest", free_port(), services.log("ingest"), "ingest_api", services.environment(topic))
    with api:
        # No aggregator: /readyz of the gateway asks the ingest API twice.
        address = f"127.0.0.1:{api.port}"
        upstreams = {"GATEWAY_INGEST": address, "GATEWAY_AGGREGATOR": address}
        with Gateway(services.folder / "gateway", free_port(), services.log("gateway"), upstreams) as gateway:
            port = gateway.port if through_gateway else api.port
            warm = api_cases.load(shape, port, api_cases.WARM_SECONDS)
            answers = api_cases.load(shape, port, api_cases.SECONDS)
    acknowledged = api_cases.actions(shape, answers)
    api_cases.require_in_log(services, topic, api_cases.actions(shape, warm) + acknowledged)
    return {
        "actions/s": acknowledged.total() / answers.seconds,
        "p50 ms": answers.latency_ms(0.5),
        "p99 ms": answers.latency_ms(0.99),
    }
