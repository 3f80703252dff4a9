"""What a benchmark is: contenders that do the same work, in turn, several times; the first one is ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from contract.errors import CollectorError

Figures = Mapping[str, float]
"""Named with their units, e.g. `actions/s`, or ratios.

If lower is better, the unit is a time or a cost: `ms`, `us`, `s`, `MB`.
"""


_NOISE: Final = 1.5
"""Costs of equal runs on a shared machine differ by less than this factor."""


class WrongResult(CollectorError):
    """A run was fast, and wrong: it does not count."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work. `run` does all of it once, checks the result and raises WrongResult."""

    name: str
    run: Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table for each figure."""

    name: str
    contenders: Sequence[Contender]
    sizes: Sequence[float] = ()
    """If the contenders differ in one size: its values, rising."""
    once: bool = False
    """It takes long, and depends on settings more than on the machine: one round is enough."""
    background: AbstractContextManager[object] = field(default_factory=nullcontext)
    """What runs beside all of its contenders, and beside no other case's."""


@dataclass(slots=True)
class Measured:
    """All runs of a case, by contender."""

    case: str
    ours: str
    runs: dict[str, list[Figures]] = field(default_factory=dict)

    def median(self, contender: str, figure: str) -> float | None:
        """None where the contender has no such figure."""
        values = [run[figure] for run in self.runs[contender] if figure in run]
        return median(values) if values else None

    def spread(self, contender: str, figure: str) -> float:
        """(highest - lowest) / median: how far the runs can be trusted."""
        values = [run[figure] for run in self.runs[contender]]
        middle = median(values)
        return (max(values) - min(values)) / middle if middle else 0.0

    def rows(self) -> Iterator[tuple[str, str, float, float | None]]:
        """(contender, figure, its median, ours / its)."""
        for contender, runs in self.runs.items():
            for figure in runs[0]:
                middle, own = self.median(contender, figure), self.median(self.ours, figure)
                assert middle is not None
                same = contender == self.ours or own is None or not middle
                yield contender, figure, middle, None if same or own is None else own / middle


def require(found: object, expected: object, what: str) -> None:
    """Raises WrongResult unless both are the same."""
    if found != expected:
        raise WrongResult(f"{what}: {str(found)[:500]} instead of {str(expected)[:500]}")


def require_at_most_linear(case: Case, measured: "Measured", figure: str) -> None:
    """Raises WrongResult if a figure of cost grows by a larger factor than the size does, and more than runs differ."""
    rows = zip(case.sizes, (measured.median(contender.name, figure) for contender in case.contenders), strict=False)
    for (size, cost), (larger, larger_cost) in pairwise(rows):
        assert cost is not None
        assert larger_cost is not None
        if larger_cost / cost > larger / size * _NOISE:
            raise WrongResult(f"{case.name}: {figure} grows from {cost:.2f} at {size} to {larger_cost:.2f} at {larger}")


def measure(case: Case, rounds: int, on_run: Callable[[str], None]) -> Measured:
    """Runs the contenders in turn, so that other load on the machine affects all of them alike."""
    measured = Measured(case.name, case.contenders[0].name)
    rounds = 1 if case.once else rounds
    with case.background:
        for number in range(rounds):
            for contender in case.contenders:
                on_run(f"{case.name}: {contender.name}, {number + 1} of {rounds}")
                measured.runs.setdefault(contender.name, []).append(contender.run())
    return measured
