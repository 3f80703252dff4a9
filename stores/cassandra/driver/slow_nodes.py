"""Nodes that did not answer in time are asked last for a while.

A node that hangs, is cut off from the others, or goes by a clock that is behind, costs each request for which it is
asked first what `not_answered_yet` waits. A reading is several requests, one after the other: where each took half a
second, workers wrote the next values meanwhile, and it began again until it was given up.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from cassandra.policies import LoadBalancingPolicy, WrapperPolicy  # type: ignore[import-untyped] # the driver has no types

_SECONDS: Final = 10.0
"""For so long. Then one request, or those of one moment, find out whether it answers again."""


class SlowNodesLast(WrapperPolicy):  # type: ignore[misc] # a class without types
    """The nodes of another policy's plan, in its order, but for those that were too slow lately."""

    def __init__(self, policy: LoadBalancingPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(policy)
        self._clock = clock
        self._last_until: dict[Any, float] = {}
        """By node: seconds, by the clock."""

    def make_query_plan(self, working_keyspace: str | None = None, query: object = None) -> Iterator[Any]:
        now = self._clock()
        nodes = list(self._child_policy.make_query_plan(working_keyspace, query))
        for node in sorted(nodes, key=lambda one: self._last_until.get(one, now) > now):
            yield node
            # The driver wants another where this one has not answered, cannot be reached, or sees too few replicas.
            self._last_until[node] = self._clock() + _SECONDS
