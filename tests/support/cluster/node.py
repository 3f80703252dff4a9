"""A Cassandra node of several: it can be repaired, replaced, cut off from the others, and its clock be set."""

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.errors import ServiceFailed
from deploy.local.services.cassandra import ACCESS, Cassandra
from deploy.local.services.process import Command
from support.builds.java_compiler import compile_java
from support.cluster.clock import SetClock, classes_of_java

_TOOL_SECONDS: Final = 300.0
_TRY_SECONDS: Final = 20.0
_REGISTRY: Final = Path(__file__).with_name("rmiURLContextFactory.java")
_TOOL_OPTIONS: Final = ("-Djava.naming.factory.url.pkgs=registry", "-XX:TieredStopAtLevel=1")


class ClusterNode(Cassandra):
    """Clients find it on `host`; the other nodes on `known_as`, where a network that can be cut listens."""

    def __init__(self, artifacts: CassandraArtifacts, folder: Path, number: int, ports: tuple[int, int, int]) -> None:
        """`ports`: for clients, for the other nodes, for the operator's tool."""
        port, peers_port, self._tool_port = ports
        super().__init__(artifacts, folder, port, peers_port)
        self.name = f"cassandra-{number}"
        self.number = number
        self.host = f"127.0.30.{number}"
        self.known_as = f"127.0.31.{number}"
        self.heap = "384m"
        self.clock: SetClock | None = None
        """None: the machine's."""
        self._replaces = False

    def prepare(self) -> Command:
        command = super().prepare()
        if self.clock is None:
            return command
        jars = f"{self.artifacts.jars}/*"
        path = f"{classes_of_java(self.artifacts.jars)}:{jars}"
        return Command([path if one == jars else one for one in command.arguments], command.log)

    def options(self) -> list[str]:
        replacing = [f"-Dcassandra.replace_address_first_boot={self.known_as}"] if self._replaces else []
        return [
            f"-Dcassandra.jmx.local.port={self._tool_port}",
            # A disk that is full kills it outright: files are mapped into memory.
            f"-XX:ErrorFile={self.folder / 'java-error.log'}",
            *replacing,
            *([] if self.clock is None else self.clock.of_java()),
        ]

    def config(self) -> dict[str, object]:
        return {
            **super().config(),
            "broadcast_address": self.known_as,
            "auto_bootstrap": self._replaces,
            # A small disk must not be filled by the log of commits alone.
            "commitlog_total_space": "128MiB",
        }

    def replace(self, others: Sequence["ClusterNode"]) -> None:
        """Starts it as an empty node in its own place, which fetches what it should have from the others."""
        shutil.rmtree(self.folder / "data")
        self.seeds = [other.known_as for other in others]
        self._replaces = True
        try:
            self.start()
        finally:
            self._replaces = False

    def tool(self, *arguments: str, within: float = _TOOL_SECONDS) -> str:
        """What `nodetool` says, within so many seconds. Raises ServiceFailed."""
        classes = compile_java(_REGISTRY, language="17")
        java = [str(self.artifacts.java), "-cp", f"{classes}:{self.artifacts.jars}/*", *_TOOL_OPTIONS, *ACCESS]
        tool = ["org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p", str(self._tool_port)]
        try:
            ended = subprocess.run(
                [*java, f"-Duser.home={self.folder}", *tool, *arguments],
                capture_output=True,
                text=True,
                check=False,
                timeout=within,
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceFailed(self.name, f"nodetool {' '.join(arguments)}", str(error)) from error
        if ended.returncode:
            raise ServiceFailed(self.name, f"nodetool {' '.join(arguments)}", ended.stdout + ended.stderr)
        return ended.stdout

    def try_tool(self, *arguments: str) -> None:
        """The same where the node may be in no state to do it."""
        with suppress(ServiceFailed):
            self.tool(*arguments, within=_TRY_SECONDS)

    def end(self) -> None:
        """Returns once it has ended, or is killed, if it runs."""
        if self.process is not None and self.process.is_alive():
            self.stop()

    def repair(self, keyspace: str) -> None:
        """Makes the replicas of what it has equal, those of them that are up. Raises ServiceFailed."""
        self.tool("repair", "--full", "--force", keyspace)
