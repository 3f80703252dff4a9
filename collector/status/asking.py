"""Asking processes how they are."""

import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from collector.status.seen import Sample, Seen
from contract.shown import printable, shown_text

_TIMEOUT: Final = 10.0
"""Seconds; a process asks what it depends on, before it answers."""
_ERRORS_SHOWN: Final = 3
_TAIL_BYTES: Final = 64 * 1024
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{3}))?(Z)?")
_TROUBLE: Final = (" WARNING ", " ERROR ", " CRITICAL ", '"level":"WARNING"', '"level":"ERROR"', '"level":"CRITICAL"')


class Asked(NamedTuple):
    """A process to ask."""

    name: str
    url: str | None
    """Where its pages are; None: it has none of ours."""
    state: Callable[[], str]
    """What is known without them."""
    log: Path | None = None
    since: float = 0.0
    """When it started, in seconds since the epoch: what its log says of earlier runs is over."""


def ask(processes: Sequence[Asked], headers: dict[str, str]) -> list[Seen]:
    """All at once; `headers` show a key."""
    with ThreadPoolExecutor(max_workers=len(processes) or 1) as pool:
        return list(pool.map(lambda one: _seen(one, headers), processes))


def _seen(asked: Asked, headers: dict[str, str]) -> Seen:
    state, errors = asked.state(), last_errors(asked.log, asked.since)
    if asked.url is None or state in {"dead", "stopping"}:
        return Seen(asked.name, state, errors=errors)
    try:
        with httpx.Client(base_url=asked.url, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
            ready, metrics = client.get("/readyz"), client.get("/metrics")
    except httpx.HTTPError as error:
        return Seen(asked.name, "no answer", str(error) or type(error).__name__, errors=errors)
    if metrics.status_code != httpx.codes.OK:
        return Seen(asked.name, "no answer", f"HTTP {metrics.status_code} for /metrics", errors=errors)
    try:
        samples = samples_in(metrics.text)
    except ValueError as error:
        return Seen(asked.name, "no answer", f"/metrics has no metrics: {shown_text(str(error))}", errors=errors)
    state = "running" if ready.status_code == httpx.codes.OK else "not ready"
    return Seen(asked.name, state, _reason(ready), samples, errors)


def _reason(ready: httpx.Response) -> str | None:
    try:
        reason = ready.json()["reason"]
    except (ValueError, KeyError, TypeError):
        return None
    return printable(reason) if isinstance(reason, str) else None


def samples_in(text: str) -> list[Sample]:
    """Those of ours."""
    return [
        Sample(sample.name, dict(sample.labels), sample.value)
        for family in text_string_to_metric_families(text)
        if family.name.startswith("collector_")
        for sample in family.samples
    ]


def last_errors(log: Path | None, since: float = 0.0) -> list[str]:
    """The last lines of a log that are about trouble and not older than `since`, in their order."""
    if log is None or not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    troubles = [line for line in lines if any(word in line for word in _TROUBLE)]
    return [line for line in troubles[-_ERRORS_SHOWN:] if _time_of(line) >= since]


def _time_of(line: str) -> float:
    """Seconds since the epoch, infinite for a line that has no time: JSON's are UTC, others of the machine's zone."""
    found = _TIME.search(line)
    if found is None:
        return math.inf
    day, second, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{second}.{fraction or '0':0<3}{'+00:00' if zone else ''}").timestamp()
    except ValueError:
        return math.inf
