"""Every error the project raises on purpose.

CollectorError
├── InvalidHour            a text that names no hour
├── StateUnreadable        a stored state of a version, or in a form, that this program does not know
├── StoreError             the store did not do what was asked
│   ├── StoreUnavailable   try again: down, slow, refusing or overloaded; the outcome of a write is unknown
│   └── StoreConflict      never try again: the store cannot accept our own points as they are
└── LogError               the log cannot be read, or is not what the stored progress says it is
    ├── LogUnavailable     try again: Kafka does not answer
    ├── LogReplaced        the topic was deleted and created again while it was being read
    ├── LogTruncated       the log ends below, or differs at, the offset that progress names
    ├── RecordsMissing     records were lost on their way from Kafka to the count; a restart reads them again
    ├── LogNotRetained     records that must be read again were removed by retention
    ├── LogUnfit           the topic is missing, or does not use LogAppendTime
    └── RulesTooOld        progress was written under rules newer than this program's
"""


class CollectorError(Exception):
    """Base of all errors raised on purpose; its text names what, where and the value."""


class InvalidHour(CollectorError, ValueError):
    """A text that names no UTC hour between 1970 and 2100."""


class StateUnreadable(CollectorError):
    """A `state` text in the store that this program cannot read."""


class StoreError(CollectorError):
    """The store did not do what was asked. `reason` is short and one of few: fit for a metric's label."""

    def __init__(self, message: str, reason: str = "unknown") -> None:
        super().__init__(message)
        self.reason = reason


class StoreUnavailable(StoreError):
    """The store is down, slow, refusing or overloaded. Retrying is right; a write may or may not have happened."""


class StoreConflict(StoreError):
    """The store refuses our points as they are (parse error, type conflict). Retrying can never help."""


class LogError(CollectorError):
    """The log cannot be read, or is not what the stored progress says it is: nobody may count on."""


class LogUnavailable(LogError):
    """Kafka does not answer. Retrying is right."""


class LogReplaced(LogError):
    """The topic has another id than when it was first read."""


class LogTruncated(LogError):
    """The log's end, or the record at `through_offset`, contradicts the stored progress."""


class RecordsMissing(LogError):
    """A record was skipped between Kafka and the count: nothing is stored of what follows."""


class LogNotRetained(LogError):
    """Retention removed records, so that they can't be read again."""


class LogUnfit(LogError):
    """The topic does not exist, or its record timestamps are not LogAppendTime."""


class RulesTooOld(LogError):
    """The stored progress was counted under newer rules than this program knows."""
