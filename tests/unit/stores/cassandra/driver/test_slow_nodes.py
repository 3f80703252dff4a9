"""Which node is asked first after another one was too slow; `tests/faults/cluster` has nodes that are."""

from collections.abc import Iterator

from cassandra.policies import LoadBalancingPolicy  # type: ignore[import-untyped] # the driver has no types

from stores.cassandra.driver.slow_nodes import SlowNodesLast


class InOrder(LoadBalancingPolicy):  # type: ignore[misc] # a class without types
    """The same plan for each request."""

    def make_query_plan(self, *_: object) -> Iterator[str]:
        yield from ("first", "second", "third")


class Requests:
    """Requests at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._policy = SlowNodesLast(InOrder(), lambda: self.now)

    def ask(self, nodes: int = 1) -> list[str]:
        """Whom a request asks for which so many nodes are tried, until one answers."""
        plan = self._policy.make_query_plan("keyspace", "a statement")
        return [next(plan) for _ in range(nodes)]


def test_nodes_that_answer_are_asked_in_the_policy_s_order() -> None:
    requests = Requests()
    assert [requests.ask() for _ in range(3)] == [["first"]] * 3


def test_one_that_did_not_answer_is_asked_last_for_a_while() -> None:
    requests = Requests()
    requests.ask(2)
    requests.now += 9.9
    assert requests.ask(3) == ["second", "third", "first"]


def test_it_is_asked_in_its_turn_again_after_that() -> None:
    requests = Requests()
    requests.ask(2)
    requests.now += 10.0
    assert requests.ask() == ["first"]


def test_where_none_answers_each_is_still_asked() -> None:
    requests = Requests()
    requests.ask(3)
    requests.ask(3)
    assert sorted(requests.ask(3)) == ["first", "second", "third"]
    requests.now += 10.0
    assert requests.ask(3) == ["first", "second", "third"]
