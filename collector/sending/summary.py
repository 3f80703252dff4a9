"""What became of the actions that were sent."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Summary:
    """Counts of actions. `unknown`: sent without an answer, and not sent again: they might count twice."""

    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """By the code of the rule that was broken."""
    unknown: int = 0
    unsent: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether each action was accepted or rejected."""
        return self.unknown == 0 and self.unsent == 0

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"sent      {self.sent:>10,}", f"accepted  {self.accepted:>10,}"]
        lines.append(f"rejected  {self.rejected.total():>10,}")
        lines += [f"  {code}: {count:,}" for code, count in self.rejected.most_common()]
        if self.unknown:
            lines.append(f"unknown   {self.unknown:>10,}  sent without an answer; sent again, they might count twice")
        if self.unsent:
            lines.append(f"not sent  {self.unsent:>10,}")
        return lines
