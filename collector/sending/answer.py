"""What the API's answers say about the lines of a request."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import httpx
import msgspec

from collector.sending.errors import DeliveryRefused

_SHOWN = 300
_NOT_UNDERSTOOD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""No JSON, JSON of another shape, no UTF-8, or nested too deeply."""


class Unanswered(NamedTuple):
    """The API has not judged the request's lines: they may be sent again, as far as that is safe."""

    reason: str
    """For people."""
    may_have_arrived: bool
    """Whether it may have taken some of them all the same."""


class RejectedLine(msgspec.Struct, frozen=True):
    """`index`: the line's place in the request, from 0."""

    index: int
    code: str
    field: str | None
    message: str


class Answer(msgspec.Struct, frozen=True):
    """Lines that are not accepted are rejected, or the whole request is; `rejected` may list fewer than there are."""

    accepted: int
    rejected: list[RejectedLine]
    rejected_by_code: dict[str, int] = {}

    @property
    def is_refusal(self) -> bool:
        """Whether nothing was accepted of what breaks a rule at least in part."""
        return bool(self.rejected) and not self.accepted

    @property
    def is_listed(self) -> bool:
        """Whether all that broke a rule are listed."""
        return sum(self.rejected_by_code.values()) <= len(self.rejected)

    def not_listed(self) -> Counter[str]:
        """How many broke a rule and are not listed, by its code."""
        return Counter(self.rejected_by_code) - Counter(one.code for one in self.rejected)

    def rejected_of(self, lines: Sequence[object]) -> list[RejectedLine]:
        """Those that name one of the request's lines."""
        return [one for one in self.rejected if 0 <= one.index < len(lines)]


class _Problem(msgspec.Struct):
    code: str | None = None
    detail: str | None = None


def read_answer(response: httpx.Response) -> Answer | Unanswered:
    """The answer, if the API has judged the lines: 200, or 422 where it accepted none. Raises DeliveryRefused."""
    told = _told(response)
    if response.is_success or response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        try:
            return msgspec.json.decode(response.content, type=Answer)
        except _NOT_UNDERSTOOD as error:
            advice = "; that is no ingest API's answer: is the address right?" if response.is_success else ""
            raise DeliveryRefused(told + advice) from error
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or _problem(response).code == "not_sent":
        return Unanswered(told, may_have_arrived=False)
    if response.is_server_error:
        return Unanswered(told, may_have_arrived=True)
    raise DeliveryRefused(told + _advice(response))


def _advice(response: httpx.Response) -> str:
    if response.is_redirect:
        return f"; it leads to {response.headers.get('location')}"
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return "; --key-file names the file that holds the key"
    if response.status_code == HTTPStatus.NOT_FOUND:
        return "; is it the ingest API's address, without a path?"
    return ""


def _told(response: httpx.Response) -> str:
    detail = _problem(response).detail or " ".join(response.text.split())
    shown = detail[:_SHOWN] + "…" if len(detail) > _SHOWN else detail
    return f"{response.url} answered {response.status_code}" + (f": {shown}" if shown else "")


def _problem(response: httpx.Response) -> _Problem:
    try:
        return msgspec.json.decode(response.content, type=_Problem)
    except _NOT_UNDERSTOOD:
        return _Problem()
