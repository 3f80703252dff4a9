"""Java's transactional producer, in a process of its own."""

import base64
import secrets
import subprocess
from pathlib import Path

from deploy.local.artifacts.installed import installed
from support.builds.java_compiler import compile_java

_SOURCE = Path(__file__).with_name("Transactions.java")


class Java:
    """Implements TransactionalClient."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        artifacts = installed()
        jars = sorted(artifacts.kafka_jars.glob("*.jar"))
        path = ":".join(map(str, [compile_java(_SOURCE, jars), *jars]))
        command = [artifacts.java, "-cp", path, "-Dlog4j2.level=WARN", "Transactions", bootstrap, topic]
        self._process = subprocess.Popen(
            [*command, secrets.token_hex(6)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._read_answer()

    def begin(self) -> None:
        self._tell("begin")

    def append(self, partition: int, values: list[bytes]) -> None:
        self._tell("append", str(partition), *(base64.b64encode(value).decode() for value in values))

    def commit(self) -> None:
        self._tell("commit")

    def abort(self) -> None:
        self._tell("abort")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def _tell(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        self._read_answer()

    def _read_answer(self) -> None:
        """Its log may come on the same stream."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "done\n":
                return
        raise AssertionError(f"Java ended with {self._process.wait(60)}")
