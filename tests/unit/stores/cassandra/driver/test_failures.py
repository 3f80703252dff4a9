import pytest
from cassandra import (  # type: ignore[import-untyped] # the driver has no types
    AuthenticationFailed,
    InvalidRequest,
    OperationTimedOut,
    Unavailable,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable  # type: ignore[import-untyped] # likewise
from cassandra.connection import ConnectionShutdown  # type: ignore[import-untyped] # likewise

from contract.errors import StoreConflict, StoreUnavailable
from stores.cassandra.driver.failures import store_error

TOO_FEW = Unavailable("two of three are away", consistency=6, required_replicas=2, alive_replicas=1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationTimedOut(), "timeout"),
        (WriteTimeout("slow", write_type=0, consistency=6, required_responses=2, received_responses=1), "timeout"),
        (TOO_FEW, "too_few_replicas"),
        (ConnectionShutdown("closed"), "cut"),
        (InvalidRequest("unconfigured table progress"), "refused"),
        (NoHostAvailable("none", {}), "connect"),
        (NoHostAvailable("none", {"127.0.0.1": OSError("refused")}), "connect"),
        (NoHostAvailable("none", {"127.0.0.1": AuthenticationFailed("wrong")}), "unauthorized"),
        (NoHostAvailable("none", {"127.0.0.1": OSError("refused"), "127.0.0.2": TOO_FEW}), "too_few_replicas"),
        (NoHostAvailable("none", {"127.0.0.1": TOO_FEW, "127.0.0.2": AuthenticationFailed("wrong")}), "unauthorized"),
        (RuntimeError("something else"), "server_error"),
    ],
)
def test_what_another_try_may_mend_has_a_short_reason_and_the_evidence(error: Exception, reason: str) -> None:
    found = store_error(error)
    assert isinstance(found, StoreUnavailable)
    assert found.reason == reason
    causes = error.errors.values() if isinstance(error, NoHostAvailable) else []
    assert all(str(cause) in str(found) for cause in causes)


def test_what_is_too_large_stays_so() -> None:
    found = store_error(InvalidRequest("Mutation of 17 MiB is too large for the maximum size of 16 MiB"))
    assert isinstance(found, StoreConflict)
    assert found.reason == "too_large"
