"""Which lines of a partition's hour were read already: replays store the same lines in other runs."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from contract.store import StoredAction


class Coverage:
    """Lines of one hour of one partition, as disjoint ranges of their numbers.

    Its memory is two numbers for each range, not for each line.
    """

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._begins: list[int] = []
        self._ends: list[int] = []

    def __contains__(self, number: int) -> bool:
        """Whether the line lies in a range that was read."""
        at = bisect_right(self._begins, number)
        return at > 0 and number < self._ends[at - 1]

    @property
    def ranges(self) -> int:
        """How many ranges it takes to say what was read."""
        return len(self._begins)

    def unread(self, run: Sequence[StoredAction]) -> Sequence[StoredAction]:
        """Those of a run's lines that were not read before; from now on all of them were.

        A run holds all of the hour's lines between its first and its last one.
        """
        if not run:
            return run
        begin, end = run[0].line, run[-1].line + 1
        first, last = bisect_left(self._ends, begin), bisect_right(self._begins, end)
        # Ranges that only touch the run are joined with it, and share no line with it.
        overlaps = any(self._begins[at] < end and begin < self._ends[at] for at in range(first, last))
        new = [one for one in run if one.line not in self] if overlaps else run
        if first < last:
            begin, end = min(begin, self._begins[first]), max(end, self._ends[last - 1])
        self._begins[first:last] = [begin]
        self._ends[first:last] = [end]
        return new
