"""What became of a batch, as it is answered: bounded, and not held in memory for a client that does not read."""

from http import HTTPStatus
from typing import Final

from fastapi import Response
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from ingest_api.decoding.checked import CheckedBatch
from ingest_api.http.intake import Taken
from ingest_api.http.position import position_headers
from ingest_api.publishing.memory_budget import MemoryBudget

_PIECE: Final = 64 * 1024
"""So many bytes are handed to the server at a time; it takes more once these were read."""


class Rejected(BaseModel):
    """A line or element that is no action."""

    index: int = Field(ge=0, description="The line's number, or the element's place in the array, from 0.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(description="The field that breaks a rule; null where it is the line as a whole.")
    message: str = Field(description="One line for people: the field, its value (cut) and the rule.")


class BatchAnswer(BaseModel):
    """What became of a batch."""

    accepted: int = Field(ge=0, description="Actions that the log has acknowledged.")
    rejected: list[Rejected] = Field(
        description="The first that broke a rule: 100 by default. What is rejected is so each time it is sent."
    )
    rejected_by_code: dict[str, int] | None = Field(
        None, description="How many broke a rule in all, by its code; absent where none did."
    )


class BatchResponse(Response):
    """An answer whose bytes count as memory in use until the server has taken them."""

    media_type = "application/json"

    def __init__(self, content: str, status: HTTPStatus, headers: dict[str, str], budget: MemoryBudget) -> None:
        super().__init__(content, status, headers)
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if len(self.body) <= _PIECE:
            await super().__call__(scope, receive, send)
            return
        with self._budget.holding(len(self.body)):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for start in range(0, len(self.body), _PIECE):
                more = start + _PIECE < len(self.body)
                await send({"type": "http.response.body", "body": self.body[start : start + _PIECE], "more_body": more})


def batch_answer(taken: Taken, checked: CheckedBatch, budget: MemoryBudget) -> Response:
    """What became of a batch.

    Shippers take 200 for delivered: where something was refused and nothing came in, it is 422.
    """
    rejected = [
        Rejected(index=line, code=rejection.code, field=rejection.field, message=rejection.message)
        for line, rejection in checked.refused
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if rejected and not taken.actions else HTTPStatus.OK
    by_code = dict(checked.codes.most_common()) or None
    answer = BatchAnswer(accepted=taken.actions, rejected=rejected, rejected_by_code=by_code)
    left_out = None if by_code else {"rejected_by_code"}
    headers = position_headers(taken.position)
    return BatchResponse(answer.model_dump_json(exclude=left_out), status, headers, budget)
