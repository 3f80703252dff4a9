"""Sending batches through POST /v1/actions, so that nothing is counted twice.

What may be sent again is decided by what is known:

| what happened | what is known | what is sent again |
| --- | --- | --- |
| no connection, 429, or the gateway's `not_sent` | nothing arrived | everything |
| a broken connection, a timeout, any other 5xx | nothing | lines that are safe to repeat; the others are `unknown` |
| any other 4xx | refused as a whole | nothing: DeliveryRefused |
"""

import gzip
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

import httpx
import msgspec

from collector.sending.batches import Line
from collector.sending.summary import Summary
from contract.errors import CollectorError

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0
_SHOWN = 500


class DeliveryRefused(CollectorError):
    """The API refuses such requests: sending them again cannot help."""


class DeliveryGivenUp(CollectorError):
    """The API did not answer for too long."""


class _Rejected(msgspec.Struct):
    code: str


class _Answer(msgspec.Struct):
    accepted: int
    rejected: list[_Rejected]


class _NothingArrived(Exception):
    """The API has not seen the batch."""


class _OutcomeUnknown(Exception):
    """The API may have taken the batch, or parts of it."""


class Delivery:
    """Sends batches one after the other and counts what becomes of them."""

    def __init__(
        self,
        client: httpx.Client,
        summary: Summary,
        *,
        compress: bool,
        patience: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`patience`: seconds spent in pauses after which a batch is given up."""
        self._client = client
        self._summary = summary
        self._compress = compress
        self._patience = patience
        self._pause = pause

    def send(self, batch: Sequence[Line]) -> None:
        """Returns when each line is accepted, rejected or unknown. Raises DeliveryRefused and DeliveryGivenUp."""
        left, waited, pause = list(batch), 0.0, _FIRST_DELAY
        self._summary.sent += len(left)
        while left:
            try:
                answer = self._post(left)
            except (_NothingArrived, _OutcomeUnknown) as failure:
                if isinstance(failure, _OutcomeUnknown):
                    left = self._repeatable(left)
                if left and waited >= self._patience:
                    self._withdraw(left, unknown=isinstance(failure, _OutcomeUnknown))
                    raise DeliveryGivenUp(f"gave up after {waited:.0f} s: {failure}") from failure
                self._pause(pause)
                waited, pause = waited + pause, min(pause * 2, _LONGEST_DELAY)
            except KeyboardInterrupt:
                self._summary.unknown += len(left)
                raise
            else:
                self._summary.accepted += answer.accepted
                self._summary.rejected.update(rejected.code for rejected in answer.rejected)
                return

    def _repeatable(self, lines: list[Line]) -> list[Line]:
        repeatable = [line for line in lines if line.repeatable]
        self._summary.unknown += len(lines) - len(repeatable)
        return repeatable

    def _withdraw(self, lines: list[Line], *, unknown: bool) -> None:
        if unknown:
            self._summary.unknown += len(lines)
        else:
            self._summary.sent -= len(lines)
            self._summary.unsent += len(lines)

    def _post(self, lines: list[Line]) -> _Answer:
        body = b"\n".join(line.text for line in lines) + b"\n"
        headers = {"Content-Type": "application/x-ndjson"}
        if self._compress:
            body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        try:
            response = self._client.post("/v1/actions", content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _NothingArrived(f"no connection to {self._client.base_url}: {error}") from error
        except httpx.TransportError as error:
            raise _OutcomeUnknown(f"the connection broke: {error!r}") from error
        if response.is_success:
            return msgspec.json.decode(response.content, type=_Answer)
        self._raise_for(response)
        raise AssertionError("unreachable")

    def _raise_for(self, response: httpx.Response) -> None:
        answer = f"HTTP {response.status_code}: {response.text[:_SHOWN]}"
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or _code_of(response) == "not_sent":
            raise _NothingArrived(answer)
        if response.is_server_error:
            raise _OutcomeUnknown(answer)
        raise DeliveryRefused(answer)


def _code_of(response: httpx.Response) -> str | None:
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None
