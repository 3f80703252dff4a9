"""Every error that the project raises on purpose.

Those that several packages share are defined here; the others beside their use, in the module that the drawing names.

CollectorError
├── InvalidHour            a text that names no UTC hour
├── InvalidPosition        a text that names no position in the log
├── StateUnreadable        a stored state of a version, or in a form, that this program does not know
├── StoreError             the store did not do what was asked
│   ├── StoreUnavailable   try again: down, slow, refusing or overloaded; the outcome of a write is unknown
│   └── StoreConflict      never try again: the store cannot accept our own points as they are
├── LogError               the log cannot be read, or is not what the stored progress says it is
│   ├── LogUnavailable     try again: Kafka does not answer
│   ├── LogReplaced        the topic was deleted and created again while it was being read
│   ├── LogTruncated       the log ends below, or differs at, the offset that progress names
│   ├── RecordsMissing     records were lost on their way from Kafka to the count; a restart reads them again
│   ├── LogNotRetained     records that must be read again were removed by retention
│   ├── LogUnfit           the topic is missing, or does not use LogAppendTime
│   └── RulesTooOld        progress was written under rules newer than this program's
├── KeysUnreadable         service.keys.errors: the file of keys is missing, or a line of it describes no key
├── KeyRefused             service.keys.errors: a request is not allowed
│   ├── Unauthenticated    service.keys.errors: it brings no key, or none that is valid
│   ├── Forbidden          service.keys.errors: its key does not allow this
│   └── RateExceeded       service.keys.errors: its key was used too often; try again later
├── RequestRefused         ingest_api.errors: a request breaks a rule; nothing of it was published
├── PublishUnavailable     ingest_api.errors: try again, Kafka has not acknowledged the actions
│   ├── NotPublished       ingest_api.errors: nothing was sent to Kafka
│   └── OutcomeUnknown     ingest_api.errors: some or all of it may be in the log
├── Abandoned              stream_workers.retry: the partition was taken away while this was being tried again
├── DayOffTheHour          aggregator.hours.days: a day of a time zone does not begin on an hour of UTC
├── NeverCounted           aggregator.positions.reading: a position that is not in the log
├── ParameterRefused       aggregator.http.problems: a parameter of a request breaks a rule
├── TooManySpans           aggregator.http.spans.turns: as many spans of hours are being read as may be; try again later
├── NoAnswer               collector.audit.answers: the aggregator did not answer for an hour
├── NotAnswered            collector.reading.pages: the aggregator does not answer, or refuses what was asked for
├── NotUnderstood          collector.reading.told: what the aggregator told has not the form that it has
├── NameTaken              collector.keys.errors: there is a key of this name
├── NoSuchKey              collector.keys.errors: there is no key of this name
├── LogGrowsTooFast        collector.rebuild.run: a partition grows faster than it can be counted again
├── NotTakenOver           collector.rebuild.run: the workers have not counted up to a rebuild's record yet
├── FileUnreadable         collector.sending.errors: a file to send is damaged, or has a form that is not sent
├── RejectsUnwritable      collector.sending.errors: the file of rejected lines cannot be written
├── DeliveryRefused        collector.sending.errors: the API refuses such requests; never try again
├── DeliveryGivenUp        collector.sending.errors: the API did not answer for too long
├── LocalError             deploy.local.errors: something is wrong with the local stack
│   ├── SetupFailed        deploy.local.errors: a tool could not be fetched, verified or built
│   ├── CannotStart        deploy.local.errors: something stands in the way, found before anything was started
│   ├── NoStack            deploy.local.errors: no stack runs in the data folder
│   ├── ServiceFailed      deploy.local.errors: a process died, or did not become ready in time
│   └── Interrupted        deploy.local.stack.interruption: somebody asked to stop
└── WrongResult            bench.case: a benchmark's run was fast, and wrong
"""


class CollectorError(Exception):
    """Base of all errors raised on purpose; its text names what, where and the value."""


class InvalidHour(CollectorError, ValueError):
    """A text that names no UTC hour between 1970 and 2100."""


class InvalidPosition(CollectorError, ValueError):
    """A text that names no position in the log."""


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
