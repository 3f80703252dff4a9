"""Sending batches through POST /v1/actions, so that nothing is counted twice.

What may be sent again is decided by what is known:

| what happened | what is known | what is sent again |
| --- | --- | --- |
| no connection, 429, or the gateway's `not_sent` | nothing arrived | everything |
| a broken connection, a timeout, any other 5xx | nothing | lines that are safe to repeat; the others are in doubt |
| any other 4xx, but for a 422 that lists rejections | refused as a whole | nothing: DeliveryRefused |

An answer lists the first rejections only. Who wants them all has a batch refused as a whole while it holds any: then
those that are listed are left out, or it is sent in pieces that have no more lines than an answer lists.
"""

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from collector.sending.answer import Answer, Unanswered, read_answer
from collector.sending.errors import DeliveryGivenUp, DeliveryRefused
from collector.sending.reading.line import Line
from collector.sending.rejects import Rejected, Rejects
from collector.sending.summary import NOT_LISTED, Summary

_PATH = "/v1/actions"
_STRICT = f"{_PATH}?strict=true"
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0


class Waiting(NamedTuple):
    """How to wait for an API that does not answer."""

    patience: float
    """Seconds spent in pauses, without an answer in between, after which sending is given up."""
    pause: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = lambda _: None
    """Told, in words, why the first of these pauses is made."""


@dataclass(slots=True)
class _Request:
    lines: list[Line]
    """What is to be sent next."""
    rejected: list[Rejected]
    """What is known to be no action."""
    is_strict: bool
    """Whether anything that is rejected refuses it as a whole."""
    may_have_arrived: bool = False
    """Whether `lines` were sent, and nobody knows the outcome."""
    doubtful: list[Line] = field(default_factory=list)
    """What cannot be sent again."""
    rest: list[Line] = field(default_factory=list)
    """What is to be sent after `lines`."""
    rest_may_have_arrived: bool = False
    piece: int = 0
    """So many lines of the rest are sent at a time."""

    def refused(self, listed: Sequence[Rejected], *, are_all: bool) -> None:
        """Nothing of it was taken. It goes on without those that are rejected, or in pieces if these are not known."""
        if are_all:
            numbers = {one.line.number for one in listed}
            self.rejected += listed
            self.lines = [line for line in self.lines if line.number not in numbers]
            return
        self.is_strict, self.piece = False, len(listed)
        self.rest, self.rest_may_have_arrived = self.lines, self.may_have_arrived
        self.go_on()

    def go_on(self) -> None:
        """Takes the next piece."""
        self.lines, self.rest = self.rest[: self.piece], self.rest[self.piece :]
        self.may_have_arrived = self.rest_may_have_arrived


class Delivery:
    """Sends batches one after the other and counts what becomes of them."""

    def __init__(
        self, client: httpx.Client, summary: Summary, rejects: Rejects, waiting: Waiting, *, compress: bool
    ) -> None:
        self._client = client
        self._summary = summary
        self._rejects = rejects
        self._waiting = waiting
        self._compress = compress
        self._waited = 0.0
        self._delay = _FIRST_DELAY

    def send(self, batch: Sequence[Line]) -> None:
        """Returns when each line is accepted, rejected or in doubt.

        Raises DeliveryRefused, DeliveryGivenUp and RejectsUnwritable. Then, and when it is interrupted, the summary's
        `settled` tells from where to go on.
        """
        request = _Request(
            [line for line in batch if line.rejection is None],
            [Rejected.here(line, line.rejection) for line in batch if line.rejection],
            is_strict=self._rejects.keeps_all,
        )
        self._summary.sent += len(batch)
        try:
            self._deliver(request)
            self._summary.settled = batch[-1].number
        except BaseException:
            self._leave(request, batch[-1].number)
            raise
        finally:
            self._summary.rejected.update(one.code for one in request.rejected)
            self._rejects.add(sorted(request.rejected, key=lambda one: one.line.number))

    def _deliver(self, request: "_Request") -> None:
        """Tries until no line is left to be sent."""
        while request.lines:
            answer = self._try(request)
            if isinstance(answer, Answer):
                self._waited, self._delay = 0.0, _FIRST_DELAY
                self._taken(request, answer)
            else:
                if request.may_have_arrived:
                    self._keep_repeatable(request)
                self._wait(answer.reason)

    def _wait(self, reason: str) -> None:
        """Counts on from batch to batch until there is an answer: else all lines without an id come to be in doubt."""
        if self._waited >= self._waiting.patience:
            raise DeliveryGivenUp(f"gave up after {self._waited:.0f} s: {reason}")
        if not self._waited:
            self._waiting.tell(f"{reason}. Waiting for up to {self._waiting.patience:.0f} s")
        self._waiting.pause(self._delay)
        self._waited += self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY)

    def _try(self, request: "_Request") -> Answer | Unanswered:
        arrived_before = request.may_have_arrived
        request.may_have_arrived = True  # also if it is broken off
        try:
            answer = self._post(request.lines, is_strict=request.is_strict)
        except DeliveryRefused:
            request.may_have_arrived = arrived_before
            raise
        if isinstance(answer, Unanswered):
            request.may_have_arrived = arrived_before or answer.may_have_arrived
        elif request.is_strict and answer.is_refusal:
            request.may_have_arrived = arrived_before
        return answer

    def _taken(self, request: "_Request", answer: Answer) -> None:
        lines = request.lines
        listed = [Rejected(lines[one.index], one.code, one.field, one.message) for one in answer.rejected_of(lines)]
        if request.is_strict and listed and answer.is_refusal:
            request.refused(listed, are_all=answer.is_listed)
            return
        request.rejected += listed
        request.go_on()
        self._summary.accepted += answer.accepted
        not_listed = answer.not_listed()
        self._summary.rejected += not_listed
        if missing := max(0, len(lines) - answer.accepted - len(listed) - not_listed.total()):
            self._summary.rejected[NOT_LISTED] += missing

    def _keep_repeatable(self, request: "_Request") -> None:
        doubtful = [line for line in request.lines if not line.is_repeatable]
        request.lines = [line for line in request.lines if line.is_repeatable]
        request.doubtful += doubtful
        self._summary.doubt(doubtful)

    def _leave(self, request: "_Request", last: int) -> None:
        if request.may_have_arrived:
            self._keep_repeatable(request)
        self._leave_lines(request.lines, may_have_arrived=request.may_have_arrived)
        self._leave_lines(request.rest, may_have_arrived=request.rest_may_have_arrived)
        left = request.lines + request.rest
        settled = left[0].number - 1 if left else last
        self._summary.settled = settled
        self._summary.doubtful_after = sum(line.number > settled for line in request.doubtful)

    def _leave_lines(self, lines: Sequence[Line], *, may_have_arrived: bool) -> None:
        if may_have_arrived:
            self._summary.unknown += len(lines)
        else:
            self._summary.sent -= len(lines)
            self._summary.unsent += len(lines)

    def _post(self, lines: Sequence[Line], *, is_strict: bool) -> Answer | Unanswered:
        body = b"\n".join(line.text for line in lines) + b"\n"
        headers = {"Content-Type": "application/x-ndjson"}
        if self._compress:
            body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        try:
            response = self._client.post(_STRICT if is_strict else _PATH, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Unanswered(f"no connection to {self._client.base_url}: {error}", may_have_arrived=False)
        except httpx.RequestError as error:
            return Unanswered(f"the connection broke: {error}", may_have_arrived=True)
        return read_answer(response)
