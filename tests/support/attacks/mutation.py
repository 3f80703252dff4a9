"""Requests, and what becomes of them on a bad line: bytes changed, lost, repeated, or cut off."""

import random
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from support.attacks.sockets import connected

WHOLE = 10**6
"""What is added to the number of a request that is sent as it is: no change of another one makes it the same."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLIENTS = 24
_QUIET_SECONDS = 0.25
"""After so long without an answer none is expected: the request was cut off."""


class Answered(NamedTuple):
    """What came back on a connection."""

    number: int
    is_whole: bool
    """Whether the request was sent as it should be."""
    received: bytes

    @property
    def statuses(self) -> list[int]:
        heads = re.split(rb"HTTP/1\.[01] ", self.received)[1:]
        return [int(head[:3]) for head in heads if head[:3].isdigit()]


def mutated(request: bytes, draw: random.Random) -> bytes:
    """One to four changes."""
    data = bytearray(request)
    for _ in range(draw.randint(1, 4)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice((1, 1, 2, 8, 64)))
        match draw.randrange(6):
            case 0:
                data[start:end] = bytes(draw.randrange(256) for _ in range(end - start))
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end] * draw.choice((1, 2, 50))
            case 3:
                data[start:start] = draw.choice(
                    (b"\r\n", b"\0", b"%", b" ", b":", b"\xff" * 9, b"chunked", b"99999999")
                )
            case 4:
                del data[start:]
            case _:
                data += request
        data = data or bytearray(b"\r\n")
    return bytes(data)


def connect_again_and_again(
    port: int, connections: int, requests: Sequence[Callable[[int], bytes]], whole_every: int
) -> list[Answered]:
    """Each connection sends one of the requests, made for its number; each so many one as it is, all others mutated."""

    def send(number: int) -> Answered:
        draw = random.Random(number)
        is_whole = number % whole_every == 0
        request = requests[number // whole_every % len(requests)](number + WHOLE if is_whole else number)
        return Answered(number, is_whole, _exchanged(port, request if is_whole else mutated(request, draw), is_whole))

    with ThreadPoolExecutor(_CLIENTS) as pool:
        return list(pool.map(send, range(connections)))


def _exchanged(port: int, data: bytes, is_whole: bool) -> bytes:  # noqa: FBT001 - the one caller names it
    received = b""
    with connected(port) as own, suppress(OSError):
        own.sendall(data)
        while is_whole and not received.removeprefix(_CONTINUE):
            received += own.recv(65_536)
        own.settimeout(_QUIET_SECONDS)
        while data := own.recv(65_536):
            received += data
    return received
