"""What an error of the driver means: whether another try can help, and a short reason."""

from typing import Final

from cassandra import (  # type: ignore[import-untyped] # the driver has no types
    AuthenticationFailed,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable  # type: ignore[import-untyped] # likewise
from cassandra.connection import ConnectionException  # type: ignore[import-untyped] # likewise
from cassandra.protocol import OverloadedErrorMessage  # type: ignore[import-untyped] # likewise

from contract.errors import StoreConflict, StoreError, StoreUnavailable

_REASONS: Final = (
    ((OperationTimedOut, ReadTimeout, WriteTimeout), "timeout"),
    ((Unavailable,), "too_few_replicas"),
    ((AuthenticationFailed, Unauthorized), "unauthorized"),
    ((OverloadedErrorMessage,), "overloaded"),
    ((ReadFailure, WriteFailure), "server_error"),
    ((InvalidRequest,), "refused"),
    ((ConnectionException, OSError), "cut"),
)
_SAID_BY_A_NODE: Final = ("unauthorized", "too_few_replicas", "timeout", "overloaded", "server_error")
"""What counts where several nodes were asked and each failed in its own way: the first of these."""
_MAX_SHOWN: Final = 500
_TOO_LARGE: Final = "too large"


def store_error(error: BaseException) -> StoreError:
    """The error to raise instead of the driver's, whatever that is."""
    if isinstance(error, NoHostAvailable):
        return _of_all_hosts(error)
    text = f"{type(error).__name__}: {error}"[:_MAX_SHOWN]
    if isinstance(error, InvalidRequest) and _TOO_LARGE in str(error):
        return StoreConflict(text, reason="too_large")
    return StoreUnavailable(text, reason=_reason(error) or "server_error")


def _reason(error: BaseException) -> str | None:
    return next((reason for kinds, reason in _REASONS if isinstance(error, kinds)), None)


def _of_all_hosts(error: NoHostAvailable) -> StoreUnavailable:
    """No node could do it; where one said why, that is the reason."""
    causes = list(error.errors.items()) if isinstance(error.errors, dict) else []
    said = "; ".join(f"{host}: {type(cause).__name__} {cause}" for host, cause in causes)[:_MAX_SHOWN]
    reasons = [_reason(cause) for _, cause in causes]
    reason = next((one for one in _SAID_BY_A_NODE if one in reasons), "connect")
    return StoreUnavailable(f"no node of Cassandra answers{f': {said}' if said else ''}", reason=reason)
