"""The worker's metrics, each with its meaning."""

from prometheus_client import Counter, Gauge, Histogram

# Lines read from the log, by what became of them: counted or rejected.
LINES = Counter("collector_worker_lines", "Lines read from the log", ["outcome"])
# Records read from the log.
RECORDS = Counter("collector_worker_records", "Records read from the log")
# Records that retention removed before anyone read them.
LOST = Counter("collector_worker_lost_records", "Records removed by retention before they were read")
# Offsets at a partition's end that hold no record to count: markers of transactions, records of aborted ones.
PASSED_OVER = Counter("collector_worker_passed_over_offsets", "Offsets passed over that hold no committed record")
# How long a flush took, from its snapshot to the acknowledgement of its progress.
FLUSH_SECONDS = Histogram(
    "collector_worker_flush_seconds",
    "Duration of a flush",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
# Attempts that the store or Kafka did not carry out, by what was attempted and why.
RETRIES = Counter("collector_worker_retries", "Attempts that failed and are repeated", ["attempt", "reason"])
# Partitions that this worker owns.
PARTITIONS = Gauge("collector_worker_partitions", "Partitions owned")
# Windows in memory, and the user and id hashes that they hold.
WINDOWS = Gauge("collector_worker_windows", "Windows in memory")
HASHES = Gauge("collector_worker_hashes", "User and id hashes in memory")
# Windows that were loaded from the store, and evicted from memory.
EVICTED = Counter("collector_worker_evicted_windows", "Windows evicted from memory")
# Windows that were stored once more, with all their users and ids in full segments.
COMPACTED = Counter("collector_worker_compacted_windows", "Windows compacted in the store")
# Offsets that Kafka did not let us commit; the store's progress is what counts.
COMMIT_FAILURES = Counter("collector_worker_commit_failures", "Failed offset commits")
# Windows that were adopted from a rebuild.
REBUILT = Counter("collector_worker_rebuilt_windows", "Windows adopted from a rebuild")
# Records that say they are a rebuild and had no effect, by why: forged ones, copies, rebuilds that ran side by side.
REFUSED_REBUILDS = Counter("collector_worker_refused_rebuilds", "Rebuild records that had no effect", ["code"])
