"""Every error that the API raises on purpose.

CollectorError
├── RequestRefused         the request breaks a rule: nothing of it was published; sent again, it is refused again
└── PublishUnavailable     try again
    ├── NotPublished       nothing was sent to Kafka
    └── OutcomeUnknown     some or all of it may be in the log: sent again with the same ids, it is counted once
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from contract.errors import CollectorError
from contract.log.action import Rejection

_NONE: Mapping[str, str] = MappingProxyType({})


class RequestRefused(CollectorError):
    """The request as a whole is refused, with a stable code; `rejection` is there where one value is to blame."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        rejection: Rejection | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.rejection = rejection
        self.headers = headers


class PublishUnavailable(CollectorError):
    """Kafka has not acknowledged the actions. Trying again is right."""


class NotPublished(PublishUnavailable):
    """Nothing was sent: none of the actions will be counted."""


class OutcomeUnknown(PublishUnavailable):
    """Each of the actions may or may not be counted."""
