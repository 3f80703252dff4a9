"""What SDKs of Segment and RudderStack sent, read from their requests independently of the product."""

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

SEGMENT_EVENTS = "page=impression,track:Product *=click"
"""The setting that these tests use."""


def actions_in(requests: Iterable[bytes]) -> list[dict[str, Any]]:
    """The actions that the calls in POSTs are by this setting, as often as they were sent."""
    return [
        {
            "timestamp": _ms(call.get("timestamp") or call.get("originalTimestamp") or call["sentAt"]),
            "user": call.get("userId") or call["anonymousId"],
            "event": event,
            "id": call["messageId"],
        }
        for request in requests
        for kind, call in _calls_in(request)
        if (event := _event_of(kind, call))
    ]


def _calls_in(request: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with its type: its own in a batch, else the last part of the path."""
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].partition(b"?")[0].decode()
    payload = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    if "batch" in payload:
        yield from ((call["type"], call) for call in payload["batch"])
    else:
        yield path.rpartition("/")[2], payload


def _event_of(kind: str, call: dict[str, Any]) -> str | None:
    if kind in ("page", "p"):
        return "impression"
    return "click" if kind in ("track", "t") and call["event"].startswith("Product ") else None


def _ms(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)
