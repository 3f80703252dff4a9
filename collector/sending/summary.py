"""What became of the lines that were sent."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collector.sending.reading.line import Line

NOT_LISTED: Final = "not listed"
"""Stands for the code of lines that the API rejected without naming them."""
_RANGES: Final = 10


@dataclass(slots=True)
class Numbers:
    """Numbers of lines, as ranges; the first ten of these."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    are_all: bool = True

    def add(self, lines: Iterable[Line]) -> None:
        """Adds lines that follow those that were added before."""
        for number in (line.number for line in lines):
            if self.ranges and self.ranges[-1][1] == number - 1:
                self.ranges[-1] = (self.ranges[-1][0], number)
            elif len(self.ranges) < _RANGES:
                self.ranges.append((number, number))
            else:
                self.are_all = False
                return

    def __str__(self) -> str:
        shown = [str(first) if first == last else f"{first}-{last}" for first, last in self.ranges]
        return ", ".join(shown) + ("" if self.are_all else ", …")


@dataclass(slots=True)
class Summary:
    """Counts of lines. `unknown`: sent without an answer, and not sent again."""

    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """By the code of the rule that was broken."""
    unknown: int = 0
    doubtful: Numbers = field(default_factory=Numbers)
    """Those of the unknown lines that have no id: sent again, they might count twice."""
    unsent: int = 0
    settled: int = 0
    """Nothing is gained by sending lines up to this number again: each is accepted, rejected or doubtful."""
    doubtful_after: int = 0
    """So many doubtful lines lie after the settled ones."""

    @property
    def has_begun(self) -> bool:
        """Whether there was anything to send."""
        return bool(self.sent or self.unsent)

    @property
    def is_clean(self) -> bool:
        """Whether each line was accepted."""
        return not (self.rejected or self.unknown or self.unsent)

    def doubt(self, lines: Sequence[Line]) -> None:
        """Lines without an id were sent, and nobody knows the outcome."""
        self.unknown += len(lines)
        self.doubtful.add(lines)

    def go_on(self, unit: str) -> str:
        """How to send the rest."""
        rest = f"Go on with --skip {self.settled}" if self.settled else "Send it again from its beginning"
        if not self.doubtful_after:
            return rest
        which = f"{self.doubtful_after:,} of the {unit}s after that may have arrived, and have no id"
        return f"{rest}, but {which}: sent again, they might count twice"

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"sent      {self.sent:>10,}", f"accepted  {self.accepted:>10,}"]
        lines.append(f"rejected  {self.rejected.total():>10,}")
        lines += [f"  {code}: {count:,}" for code, count in self.rejected.most_common()]
        if self.unknown:
            lines.append(f"unknown   {self.unknown:>10,}  sent without an answer")
        if self.doubtful.ranges:
            lines.append(f"  without an id, they might count twice if sent again: {self.doubtful}")
        if self.unsent:
            lines.append(f"not sent  {self.unsent:>10,}")
        return lines
