"""What is wrong with keys: with their file, or with one that came with a request.

KeysUnreadable         the file of keys is missing, or a line of it describes no key
KeyRefused             a request is not allowed
├── Unauthenticated    401: it brings no key, or none that is valid
├── Forbidden          403: its key does not allow this
└── RateExceeded       429: its key was used too often; try again later
"""

from http import HTTPStatus

from contract.errors import CollectorError


class KeysUnreadable(CollectorError):
    """The file of keys cannot be read, or holds a line that describes no key."""


class KeyRefused(CollectorError):
    """A request is not allowed; nothing of it was done."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Unauthenticated(KeyRefused):
    """There is no key, or none that is valid."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(KeyRefused):
    """The key does not allow it; `scope` where a scope is missing."""

    def __init__(self, code: str, detail: str, scope: str | None = None) -> None:
        super().__init__(code, detail)
        self.scope = scope


class RateExceeded(KeyRefused):
    """The key's rate is used up for some seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__("rate_exceeded", detail)
        self.seconds = seconds
