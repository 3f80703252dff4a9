"""A proxy in front of the ingest API whose first answers get lost: clients send again what was counted already."""

from http import HTTPStatus
from typing import Final

from support.faults.http_proxy import HttpProxy

_UNAVAILABLE: Final = HTTPStatus.SERVICE_UNAVAILABLE
_BODY: Final = b'{"code":"outcome_unknown","message":"the answer got lost"}'


class LostAnswers(HttpProxy):
    """Forwards every request; the first `losses` with this method are answered `status` although they were done."""

    def __init__(self, port: int, losses: int = 1, method: str = "POST", *, status: HTTPStatus = _UNAVAILABLE) -> None:
        super().__init__(port)
        self.lost: list[bytes] = []
        """The requests whose answers got lost."""
        self.delivered: list[bytes] = []
        """Those with this method whose answers came through."""
        self._losses = losses
        self._status = status
        self._begins = f"{method} ".encode()

    async def answer(self, request: bytes) -> bytes | None:
        answer = await self.forward(request)
        if not request.startswith(self._begins):
            return answer
        if len(self.lost) == self._losses:
            self.delivered.append(request)
            return answer
        self.lost.append(request)
        return _unavailable(answer, self._status)


def _unavailable(answer: bytes, status: HTTPStatus) -> bytes:
    """What the API would say: without the headers that allow it, a page of another origin may read nothing of it."""
    lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    allowed = [line for line in lines if line.lower().startswith((b"access-control-", b"vary"))]
    line = f"HTTP/1.1 {status} {status.phrase}".encode()
    head = [line, b"Retry-After: 1", b"Content-Type: application/json", *allowed]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(_BODY), b"Connection: close", b"", _BODY])
