"""Every statement for Cassandra, with what it is for. docs/decisions/cassandra.md says why the tables are so.

    windows           values of windows, of 64 partitions and 512 hours in one partition of Cassandra
    window_buckets    which of these there are
    segments          users and ids of windows, appended to chunks of a bounded size by whoever writes
    segment_chunks    which chunks hold segments of a window
    progress          one row for each partition of a log
    rebuilds          the manifest of each rebuild; they never change
    action_runs       raw actions, packed, appended to chunks as segments are; they expire
    action_chunks     which chunks hold raw actions of an hour; they expire, too
    schema_versions   which migrations were carried out

Nothing is ever deleted and no column is null, so there are no tombstones but those of expired actions. No row is
written by two processes, but for progress, whose write time is its offset, and for rows that are the same whoever
writes them. So it does not matter whose clock is right.
"""

from typing import Final

ALL: Final = "all"
"""The only value of a partition key `scope`: the table is small, and always read together."""

_RESULTS: Final = (
    "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4'} AND speculative_retry = '20ms'"
)
"""Rows are written again and again: levels keep the sstables few that a read looks into. A read or write that a node
does not answer within 20 ms is asked of another: before, a killed node cost a stall of 10 s."""

_RAW: Final = (
    "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS',"
    " 'compaction_window_size': 1} AND compression = {'class': 'ZstdCompressor'} AND speculative_retry = '20ms'"
)
"""What expires together lies together, and is dropped as whole files."""

CREATE_KEYSPACE: Final = (
    "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication ="
    " {{'class': 'NetworkTopologyStrategy', '{datacenter}': {replication}}}"
)
"""A keyspace that is there keeps its replication: a change of it needs a repair, and is an operator's."""

COUNT_NODES: Final = "SELECT data_center FROM system.{table}"
"""The datacenter of the node that is asked (`local`), or of each of the others (`peers_v2`)."""

CREATE_VERSIONS: Final = f"""
CREATE TABLE IF NOT EXISTS schema_versions (
    scope text, version int,
    PRIMARY KEY ((scope), version)
) WITH {_RESULTS}"""

VERSIONS: Final = "SELECT version FROM schema_versions WHERE scope = ?"

PUT_VERSION: Final = "INSERT INTO schema_versions (scope, version) VALUES (?, ?)"

_WINDOWS: Final = f"""
CREATE TABLE IF NOT EXISTS windows (
    log text, partition_bucket int, hour_bucket int, partition int, hour timestamp, slot bigint, state text,
    through_offset bigint,
    PRIMARY KEY ((log, partition_bucket, hour_bucket), partition, hour, slot)
) WITH {_RESULTS}"""

_WINDOW_BUCKETS: Final = f"""
CREATE TABLE IF NOT EXISTS window_buckets (
    scope text, hour_bucket int, log text, partition_bucket int,
    PRIMARY KEY ((scope), hour_bucket, log, partition_bucket)
) WITH {_RESULTS}"""

_SEGMENTS: Final = f"""
CREATE TABLE IF NOT EXISTS segments (
    chunk bigint, log text, partition int, hour timestamp, generation bigint, is_full boolean,
    through_offset bigint, part int, parts int, users blob, ids blob,
    PRIMARY KEY ((chunk), log, partition, hour, generation, is_full, through_offset, part, parts)
) WITH {_RESULTS}"""

_SEGMENT_CHUNKS: Final = f"""
CREATE TABLE IF NOT EXISTS segment_chunks (
    log text, partition_bucket int, hour_bucket int, partition int, hour timestamp, generation bigint,
    is_full boolean, chunk bigint,
    PRIMARY KEY ((log, partition_bucket, hour_bucket), partition, hour, generation, is_full, chunk)
) WITH {_RESULTS}"""

_PROGRESS: Final = f"""
CREATE TABLE IF NOT EXISTS progress (
    scope text, log text, partition int, state text,
    PRIMARY KEY ((scope), log, partition)
) WITH {_RESULTS}"""

_REBUILDS: Final = f"""
CREATE TABLE IF NOT EXISTS rebuilds (
    log text, partition int, manifest text, state text,
    PRIMARY KEY ((log, partition), manifest)
) WITH {_RESULTS}"""

_ACTION_RUNS: Final = f"""
CREATE TABLE IF NOT EXISTS action_runs (
    chunk bigint, log text, partition int, hour timestamp, first_line bigint, length int, packed blob,
    PRIMARY KEY ((chunk), log, partition, hour, first_line, length)
) WITH {_RAW}"""

_ACTION_CHUNKS: Final = f"""
CREATE TABLE IF NOT EXISTS action_chunks (
    log text, partition_bucket int, hour_bucket int, partition int, hour timestamp, chunk bigint,
    PRIMARY KEY ((log, partition_bucket, hour_bucket), partition, hour, chunk)
) WITH {_RAW}"""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (_WINDOWS, _WINDOW_BUCKETS, _SEGMENTS, _SEGMENT_CHUNKS, _PROGRESS, _REBUILDS, _ACTION_RUNS, _ACTION_CHUNKS),
)
"""What each version of the schema adds to the one before. It only adds: programs of the version before go on."""

PUT_WINDOW: Final = (
    "INSERT INTO windows (log, partition_bucket, hour_bucket, partition, hour, slot, state, through_offset)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
PUT_WINDOW_BUCKET: Final = "INSERT INTO window_buckets (scope, hour_bucket, log, partition_bucket) VALUES (?, ?, ?, ?)"

WINDOW_BUCKETS: Final = (
    "SELECT log, partition_bucket, hour_bucket FROM window_buckets"
    " WHERE scope = ? AND hour_bucket >= ? AND hour_bucket <= ?"
)
"""Which partitions of `windows` there are, for a range of hours."""

WINDOWS: Final = (
    "SELECT partition, toUnixTimestamp(hour), slot, state FROM windows"
    " WHERE log = ? AND partition_bucket = ? AND hour_bucket = ? AND partition IN ? AND hour >= ? AND hour < ?"
)
"""The values of a range of hours: one partition's after another's, each in the order of the hours."""

BLOCK_VERSION: Final = (
    "SELECT COUNT(*), SUM(through_offset) FROM windows"
    " WHERE log = ? AND partition_bucket = ? AND hour_bucket = ? AND partition = ?"
)
"""What is another whenever a value of a bucket was written; the states themselves are not read."""

PUT_SEGMENT: Final = (
    "INSERT INTO segments (chunk, log, partition, hour, generation, is_full, through_offset, part, parts, users, ids)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PUT_SEGMENT_CHUNK: Final = (
    "INSERT INTO segment_chunks (log, partition_bucket, hour_bucket, partition, hour, generation, is_full, chunk)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

SEGMENT_CHUNKS: Final = (
    "SELECT toUnixTimestamp(hour), generation, is_full, chunk FROM segment_chunks"
    " WHERE log = ? AND partition_bucket = ? AND hour_bucket = ? AND partition = ? AND hour IN ?"
)
"""Which chunks hold segments of one partition's windows."""

SEGMENTS: Final = (
    "SELECT through_offset, users, ids, part, parts, generation, is_full FROM segments"
    " WHERE chunk = ? AND log = ? AND partition = ? AND hour = ? AND generation = ? AND is_full = ?"
    " AND through_offset > ? AND through_offset <= ?"
)
"""The segments of a window that lie in one chunk, between two offsets."""

PUT_PROGRESS: Final = "INSERT INTO progress (scope, log, partition, state) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
"""The write time is the offset, plus 2 as it must be positive: so the highest offset wins, whenever it arrives."""

PROGRESS: Final = "SELECT log, partition, state FROM progress WHERE scope = ?"

PROGRESS_OF_SOURCE: Final = "SELECT log, partition, state FROM progress WHERE scope = ? AND log = ? AND partition = ?"

PUT_MANIFEST: Final = "INSERT INTO rebuilds (log, partition, manifest, state) VALUES (?, ?, ?, ?)"

MANIFESTS: Final = "SELECT state FROM rebuilds WHERE log = ? AND partition = ?"
"""All manifests of a partition: one for each of its rebuilds."""

PROBE: Final = "SELECT partition FROM progress WHERE scope = ? LIMIT 1"
"""Fails where the table is missing, or too few replicas answer."""

PUT_ACTION_RUN: Final = (
    "INSERT INTO action_runs (chunk, log, partition, hour, first_line, length, packed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ?"
)
PUT_ACTION_CHUNK: Final = (
    "INSERT INTO action_chunks (log, partition_bucket, hour_bucket, partition, hour, chunk)"
    " VALUES (?, ?, ?, ?, ?, ?) USING TTL ?"
)

ACTION_CHUNKS: Final = (
    "SELECT chunk FROM action_chunks"
    " WHERE log = ? AND partition_bucket = ? AND hour_bucket = ? AND partition = ? AND hour = ?"
)
"""Which chunks hold raw actions of one partition's hour."""

ACTION_RUNS: Final = "SELECT packed FROM action_runs WHERE chunk = ? AND log = ? AND partition = ? AND hour = ?"
"""The raw actions of one partition's hour that lie in one chunk."""

PREPARED: Final = (
    PUT_WINDOW,
    PUT_WINDOW_BUCKET,
    WINDOW_BUCKETS,
    WINDOWS,
    BLOCK_VERSION,
    PUT_SEGMENT,
    PUT_SEGMENT_CHUNK,
    SEGMENT_CHUNKS,
    SEGMENTS,
    PUT_PROGRESS,
    PROGRESS,
    PROGRESS_OF_SOURCE,
    PUT_MANIFEST,
    MANIFESTS,
    PROBE,
    PUT_ACTION_RUN,
    PUT_ACTION_CHUNK,
    ACTION_CHUNKS,
    ACTION_RUNS,
)
"""What a store uses once the schema is there."""
