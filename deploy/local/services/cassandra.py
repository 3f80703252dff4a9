"""Cassandra nodes on loopback: one on 127.0.0.1, more of its cluster on 127.0.0.2 and so on."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.services.process import Command
from deploy.local.services.service import Service

_OPENED: Final = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
)
_EXPORTED: Final = (
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.perf",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
)
ACCESS: Final = (
    *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
    *(f"--add-exports={package}=ALL-UNNAMED" for package in _EXPORTED),
)
"""Packages of Java that Cassandra reaches into: without them it dies at its start, and so do its tools."""

_OPTIONS: Final = (
    "-Djdk.attach.allowAttachSelf=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dcassandra-foreground=yes",
    # Its peers are started together with it, and are waited for by a condition.
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.ring_delay_ms=1000",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
)
_QUICK_START: Final = "-XX:TieredStopAtLevel=1"
"""Without the optimizing compiler three nodes are up in 8 s on two cores."""

_LOGGING: Final = """\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %level %logger{0}: %message%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
"""
_SMALL: Final = "384m"
_LARGE: Final = "768m"
_SECONDS: Final = 2.0
_OPTIONS_REQUEST: Final = bytes([4, 0, 0, 0, 5, 0, 0, 0, 0])
"""Of the native protocol, version 4; the answer is of the kind below."""
_SUPPORTED: Final = 6


class Cassandra(Service):
    """A node whose data live in `folder`; they survive stop, kill and start."""

    ready_seconds = 240.0

    def __init__(
        self, artifacts: CassandraArtifacts, folder: Path, port: int, peers_port: int, log: Path | None = None
    ) -> None:
        """`port` is for clients, `peers_port` for the other nodes: the same two on every node of a cluster."""
        super().__init__("cassandra", port, log or folder / "cassandra.log")
        self.host = "127.0.0.1"
        self.seeds = [self.host]
        """Whom it asks about the others."""
        self.heap = _LARGE
        """The most that Java's heap may take."""
        self.artifacts = artifacts
        self.folder = folder
        self.peers_port = peers_port

    def prepare(self) -> Command:
        self.folder.mkdir(parents=True, exist_ok=True)
        config, logging = self.folder / "cassandra.yaml", self.folder / "logback.xml"
        # JSON is YAML, too.
        config.write_bytes(msgspec.json.format(msgspec.json.encode(self.config())))
        logging.write_text(_LOGGING)
        return Command(
            [
                str(self.artifacts.java),
                "-cp",
                f"{self.artifacts.jars}/*",
                f"-Xmx{self.heap}",
                *([_QUICK_START] if self.heap == _SMALL else []),
                *_OPTIONS,
                *self.options(),
                *ACCESS,
                f"-Dcassandra.config={config.as_uri()}",
                f"-Dlogback.configurationFile={logging}",
                f"-Dcassandra.storagedir={self.folder / 'data'}",
                "org.apache.cassandra.service.CassandraDaemon",
            ],
            self.log,
        )

    def answers(self) -> bool:
        return cassandra_answers(self.port, self.host)

    def options(self) -> list[str]:
        """More of Java's options: none."""
        return []

    def config(self) -> dict[str, object]:
        """What its file of settings says."""
        data = self.folder / "data"
        return {
            "cluster_name": "collector",
            "num_tokens": 16,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "SimpleSnitch",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": ",".join(f"{seed}:{self.peers_port}" for seed in self.seeds)}],
                }
            ],
            "listen_address": self.host,
            "rpc_address": self.host,
            "native_transport_port": self.port,
            "storage_port": self.peers_port,
            "data_file_directories": [str(data / "tables")],
            "commitlog_directory": str(data / "commitlog"),
            "saved_caches_directory": str(data / "saved_caches"),
            "hints_directory": str(data / "hints"),
            # With `periodic` what was acknowledged in the last seconds does not survive a power loss.
            "commitlog_sync": "batch",
            "commitlog_disk_access_mode": "direct" if writes_directly(data) else "legacy",
            "commitlog_total_space": "1024MiB",
            "auto_bootstrap": False,
            "auto_snapshot": False,
            "storage_compatibility_mode": "NONE",
            "sstable": {"selected_format": "bti"},
            "memtable": {"configurations": {"default": {"class_name": "TrieMemtable"}}},
        }


def cassandra_nodes(
    artifacts: CassandraArtifacts, folder: Path, ports: tuple[int, int], logs: Sequence[Path]
) -> list[Cassandra]:
    """The nodes of one cluster: one for each of `logs`. `ports`: for clients, for peers; see Cassandra."""
    if len(logs) == 1:
        return [Cassandra(artifacts, folder, *ports, logs[0])]
    nodes = []
    for number, log in enumerate(logs, 1):
        node = Cassandra(artifacts, folder / f"node-{number}", *ports, log)
        node.name = f"{node.name}-{number}"
        node.host = host_of(number)
        # Each is a seed: it waits for no other one, and any of them may be away when it starts again.
        node.seeds = [host_of(other) for other in range(1, len(logs) + 1)]
        node.heap = _SMALL
        nodes.append(node)
    return nodes


def host_of(number: int) -> str:
    """The loopback address of a cluster's node; 0: of the only one."""
    return f"127.0.0.{max(number, 1)}"


def writes_directly(folder: Path) -> bool:
    """Whether files in a folder, which is made, can be written past the page cache.

    A log of commits that is mapped into memory instead has its pages dropped by each sync: a flush takes 17 ms, not 10.
    Compressed it is as quick, but a disk that was full leaves one that no node can read.
    """
    folder.mkdir(exist_ok=True)
    probe = folder / "direct-io"
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_DIRECT))
    except (AttributeError, OSError):
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def cassandra_answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a node answers clients at that address of loopback."""
    with suppress(OSError), socket.create_connection((host, port), timeout=_SECONDS) as connection:
        connection.sendall(_OPTIONS_REQUEST)
        answer = connection.recv(5)
        return len(answer) == 5 and answer[4] == _SUPPORTED  # noqa: PLR2004 - the opcode is a header's fifth byte
    return False
