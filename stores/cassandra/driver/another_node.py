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
    """A node that got too few answers from the replicas may be cut off from them: another is asked.

    Where a node could not be reached, or was overloaded, the driver's own policy does so.
    """

    def on_read_timeout(self, *_: object, retry_num: int, **__: object) -> Decision:
        """Too few replicas answered the node in time."""
        return self._another(retry_num)

    def on_write_timeout(self, *_: object, retry_num: int, **__: object) -> Decision:
        """Too few replicas acknowledged in time; the write may be there or not."""
        return self._another(retry_num)

    def on_unavailable(self, *_: object, retry_num: int, **__: object) -> Decision:
        """The node knows of too few replicas that are up."""
        return self._another(retry_num)

    def _another(self, asked_before: int) -> Decision:
        return (self.RETRY_NEXT_HOST if asked_before < _OTHERS else self.RETHROW), None
