"""When another node is asked the same: each request may be carried out any number of times, and changes nothing then.

Rows are written whole, a request keeps its write time, and none depends on what was there. So a node that hangs, or is
cut off from the other replicas, costs some time and no error.
"""

from typing import Final

from cassandra.policies import (  # type: ignore[import-untyped] # the driver has no types
    ConstantSpeculativeExecutionPolicy,
    RetryPolicy,
)

_SECONDS: Final = 0.5
"""A node that has not answered so soon may hang. Seldom does one that works take so long: then it is asked in vain."""

_OTHERS: Final = 2
"""More nodes that are asked, at most."""

Decision = tuple[object, None]


def not_answered_yet() -> ConstantSpeculativeExecutionPolicy:
    """Asks another node while the first may still answer; whichever answers first counts."""
    return ConstantSpeculativeExecutionPolicy(_SECONDS, _OTHERS)


class AskAnother(RetryPolicy):  # type: ignore[misc] # a class without types
    """What follows on a node's answer that it could not do it. Where it could not be reached, the driver asks another.

    Where replicas time out, `not_answered_yet` has asked the others by then, and one of them may
    still answer. The same node is asked again, as there is no other: a failure would end the wait for them, too.
    """

    def on_read_timeout(self, *_: object, retry_num: int, **__: object) -> Decision:
        """Too few replicas answered the node in time."""
        return self._unless_often(self.RETRY, retry_num)

    def on_write_timeout(self, *_: object, retry_num: int, **__: object) -> Decision:
        """Too few replicas acknowledged in time; the write may be there or not."""
        return self._unless_often(self.RETRY, retry_num)

    def on_unavailable(self, *_: object, retry_num: int, **__: object) -> Decision:
        """The node knows of too few replicas that are up: it may be cut off from them, and another not."""
        return self._unless_often(self.RETRY_NEXT_HOST, retry_num)

    def _unless_often(self, decision: object, asked_again: int) -> Decision:
        return (decision if asked_again < _OTHERS else self.RETHROW), None
