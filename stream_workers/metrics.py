"""The worker's metrics, each with its meaning."""

from typing import Final

from service.connections.metrics import ConnectionMetrics
from service.metrics.listed import SECONDS, MetricList
from service.metrics.process import ProcessMetrics

LISTED: Final = MetricList()
PROCESS: Final = ProcessMetrics(LISTED, "kafka", "store")
CONNECTIONS: Final = ConnectionMetrics(LISTED)

_PARTITION: Final = "its number"

LINES = LISTED.counter(
    "collector_worker_lines_total",
    "Lines of the log that are stored, by what became of them; after a failure some are stored, and told, again.",
    outcome=("counted", "duplicate", "rejected"),
)
RECORDS = LISTED.counter("collector_worker_records_total", "Records that were read from the log and counted in memory.")
LOST = LISTED.counter("collector_worker_lost_records_total", "Records that retention removed before they were read.")
PASSED_OVER = LISTED.counter(
    "collector_worker_passed_over_offsets_total",
    "Offsets at a partition's end that hold no record to count: markers of transactions, records of aborted ones.",
)
LAG_RECORDS = LISTED.gauge(
    "collector_worker_lag_records", "Records of a partition that are not stored yet.", partition=_PARTITION
)
LAG_SECONDS = LISTED.gauge(
    "collector_worker_lag_seconds",
    "How old the newest instant is up to which all of a partition is stored; 0 where nothing is missing.",
    partition=_PARTITION,
)
FLUSH_SECONDS = LISTED.histogram(
    "collector_worker_flush_seconds", "Duration of a flush, from its snapshot to the acknowledgement of its progress."
)
STEP_SECONDS = LISTED.histogram(
    "collector_worker_step_seconds",
    "Duration of each step of a flush, and of each question to the store, with all attempts.",
    step="what was done: `store windows`, `store progress`, `load windows` and others",
)
RETRIES = LISTED.counter(
    "collector_worker_retries_total",
    "Attempts that the store or Kafka did not carry out, and that are repeated.",
    attempt="a step",
    reason="the error's own",
)
PARTITIONS = LISTED.gauge("collector_worker_partitions", "Partitions owned.")
WINDOWS = LISTED.gauge("collector_worker_windows", "Windows in memory.")
HASHES = LISTED.gauge("collector_worker_hashes", "User and id hashes that these hold.")
WINDOW_BYTES = LISTED.gauge("collector_worker_window_bytes", "Memory that these take, about.")
EVICTED = LISTED.counter("collector_worker_evicted_windows_total", "Windows evicted from memory.")
COMPACTED = LISTED.counter(
    "collector_worker_compacted_windows_total", "Windows that were stored once more, with all users in full segments."
)
COMMIT_FAILURES = LISTED.counter(
    "collector_worker_commit_failures_total",
    "Offsets that Kafka did not let us commit; the store's progress is what counts.",
)
REBALANCES = LISTED.counter("collector_worker_rebalances_total", "Assignments of partitions by the consumer group.")
RELEASE_SECONDS = LISTED.histogram(
    "collector_worker_release_seconds", "How long a rebalance waited until what was counted was stored.", SECONDS
)
DRAIN_SECONDS = LISTED.gauge(
    "collector_worker_drain_seconds",
    "For how long it has been finishing what it received, to stop; 0: it is not stopping.",
)
REBUILT = LISTED.counter("collector_worker_rebuilt_windows_total", "Windows adopted from a rebuild.")
REFUSED_REBUILDS = LISTED.counter(
    "collector_worker_refused_rebuilds_total",
    "Records that say they are a rebuild and had no effect: forged ones, copies, rebuilds that ran side by side.",
    code="why",
)
