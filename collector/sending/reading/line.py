"""One line of a file of actions, or one element of its array."""

from typing import Final, NamedTuple

from contract.log.action import Action, Rejection, parse_line, reject
from ingest_api.decoding.lines import MAX_LINE_BYTES

LONGEST: Final = MAX_LINE_BYTES
"""A longer line is not sent: the API would reject it, and a request has no room for lines of any length."""
BLANK: Final = b" \t\r\n"
"""What JSON allows around a value."""
BEGINNING: Final = 1_000
"""So many bytes are kept of a line that is too long."""


class Line(NamedTuple):
    """A line without its newline and the blanks around it, or an element of an array, on one line."""

    number: int
    """Its place in the file, from 1: blank lines count, as in an editor."""
    text: bytes
    rejection: Rejection | None = None
    """Why it is not sent."""
    is_beginning: bool = False
    """Whether `text` is only the beginning: the line is too long."""

    @property
    def is_repeatable(self) -> bool:
        """Sent twice, it counts once: it has an id, or is not an action at all."""
        parsed = parse_line(self.text)
        return not isinstance(parsed, Action) or parsed.id is not None


def line_of(number: int, text: bytes) -> Line:
    """A line that is not too long. What does not begin as an object does is no action, and is judged here.

    Else it might come to stand first in a request, and the API would take all of that for what it looks like.
    """
    if text.startswith(b"{"):
        return Line(number, text)
    parsed = parse_line(text)
    return Line(number, text, parsed if isinstance(parsed, Rejection) else None)


def too_long(number: int, beginning: bytes, size: int) -> Line:
    """A line of `size` bytes, more than LONGEST."""
    rule = f"a line has at most {LONGEST:,} bytes, this one has {size:,}"
    return Line(number, beginning[:BEGINNING], reject("line_too_long", None, beginning, rule), is_beginning=True)
