"""Where in the log the actions of a request are: a header of the answer, for readers of their own writes."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import Response

from contract.log.position import MAX_LENGTH, Position

POSITION: Final = "Collector-Position"
POSITION_IN_OPENAPI: Final[dict[str, Any]] = {
    POSITION: {
        "description": "Where in the log the actions are; opaque. `GET ...?after=` it answers once they are counted. "
        "Absent where Kafka did not say: after it was away, and for batches over very many partitions.",
        "schema": {"type": "string"},
    }
}

_NAME: Final = POSITION.lower().encode()


class ActionTaken(Response):
    """204, and where the action is. The framework's own way of making headers would cost more than the rest of it."""

    status_code = HTTPStatus.NO_CONTENT
    body = b""
    background = None
    head = b""
    """What the fast path made of it last."""
    head_with: object = None
    """With these headers of the server's own."""

    def __init__(self, position: Position | None) -> None:
        self.raw_headers = [] if position is None else [(_NAME, position.text().encode())]


def position_headers(position: Position | None) -> dict[str, str]:
    """The header, where there is one."""
    text = "" if position is None else position.text()
    return {POSITION: text} if 0 < len(text) <= MAX_LENGTH else {}
