"""One client asks for the longest spans again and again, on many connections: others are read theirs."""

import logging
from collections.abc import Callable
from http.client import HTTPConnection

from support.attacks.load import good_requests
from support.attacks.target import Target

logger = logging.getLogger(__name__)

OTHER = "127.0.0.2"
CONNECTIONS = 24
SPANS = 20


def reading(target: str) -> Callable[[HTTPConnection, int], None]:
    def ask(connection: HTTPConnection, _: int) -> None:
        connection.request("GET", target)

    return ask


def test_one_client_gets_its_share_of_spans_and_others_get_theirs(aggregator: Target) -> None:
    long_spans = reading("/v1/totals?from=2025-01-01&to=2025-02-01")
    with (
        good_requests(aggregator.port, long_spans, clients=CONNECTIONS) as attack,
        good_requests(aggregator.port, reading("/v1/totals"), source=OTHER, clients=1) as spans,
        good_requests(aggregator.port, reading("/v1/hours/2023-11-14T22"), source=OTHER, clients=1) as hours,
    ):
        spans.wait_for(SPANS)
        hours.wait_for(SPANS)
    logger.info("slowest: %.2f s of other spans, %.2f s of hours", spans.slowest, hours.slowest)
    assert spans.share_of_successes == hours.share_of_successes == 1
    assert attack.statuses[200] > 0
    assert attack.statuses[503] > 0
    assert aggregator.metric("collector_aggregator_spans_refused_total", 'limit="of_one"') >= attack.statuses[503]
    assert aggregator.metric("collector_aggregator_spans_refused_total", 'limit="all"') == 0
