"""Which node is asked next; `tests/faults/cluster` has nodes that hang and are cut off."""

import pytest
from cassandra.policies import RetryPolicy  # type: ignore[import-untyped] # the driver has no types

from stores.cassandra.driver.another_node import AskAnother, not_answered_yet

THREE = {"consistency": 6, "required_responses": 2, "received_responses": 1}
CASES = [
    ("on_read_timeout", {**THREE, "data_retrieved": False}, RetryPolicy.RETRY),
    ("on_write_timeout", {**THREE, "write_type": 0}, RetryPolicy.RETRY),
    ("on_unavailable", {"consistency": 6, "required_replicas": 2, "alive_replicas": 1}, RetryPolicy.RETRY_NEXT_HOST),
]


@pytest.mark.parametrize(("failure", "evidence", "decision"), CASES)
def test_it_is_asked_twice_more_before_a_failure_is_one(
    failure: str, evidence: dict[str, object], decision: object
) -> None:
    decide = getattr(AskAnother(), failure)
    kinds = [decide("a statement", retry_num=retries, **evidence)[0] for retries in range(3)]
    assert kinds == [decision, decision, RetryPolicy.RETHROW]


def test_an_unanswered_request_is_sent_to_two_more_nodes_at_most() -> None:
    plan = not_answered_yet().new_plan("keyspace", "a statement")
    delays = [plan.next_execution("host") for _ in range(3)]
    assert all(delay > 0 for delay in delays[:2])
    assert delays[2] < 0
