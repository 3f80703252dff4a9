"""What can go wrong in the local stack; each text says what, where and what to do.

LocalError (a CollectorError)
├── SetupFailed        a tool could not be fetched, verified or built
├── CannotStart        something stands in the way, found before anything was started
├── NoStack            no stack runs in the data folder
└── ServiceFailed      a process died, or did not become ready in time; carries the tail of its log
"""

from contract.errors import CollectorError


class LocalError(CollectorError):
    """Base of all errors of the local stack."""


class SetupFailed(LocalError):
    """A step of the set-up failed: which, why, and what to do."""

    def __init__(self, step: str, why: str, remedy: str) -> None:
        super().__init__(f"{step}: {why}. {remedy}")


class CannotStart(LocalError):
    """The stack cannot start as things are: a port in use, too little disk, another stack in the folder."""


class NoStack(LocalError):
    """No stack runs in this data folder."""


class ServiceFailed(LocalError):
    """A process died at its start, or did not become ready in time."""

    def __init__(self, name: str, why: str, log_tail: str) -> None:
        super().__init__(f"{name}: {why}\n{log_tail}".rstrip())
