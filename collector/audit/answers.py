"""Asking the aggregator for hours, and telling which of the answers can be compared with the recount."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import httpx
import msgspec

from collector.audit.verdict import Numbers
from contract.errors import CollectorError
from contract.hour import HOUR_MS, format_hour
from contract.log.progress import LogPartition
from contract.store import StoreReader

_CONCURRENT: Final = 8
_TIMEOUT: Final = 60.0
_SHOWN: Final = 300

Covered = Mapping[LogPartition, int]
"""Of one hour: the highest offset that any stored window of each source covers, committed or not."""


class NoAnswer(CollectorError):
    """The aggregator did not answer for an hour."""


class Answers(NamedTuple):
    """What the aggregator answers for the hours that did not change meanwhile."""

    settled: dict[int, Numbers]
    moving: list[int]
    """Hours that were still being counted: which of their values an answer should have is unknown."""
    of_old_logs: list[int]
    """Hours that hold actions of other logs, too."""

    def corrected_by(self, again: "Answers", hours: Collection[int]) -> "Answers":
        """These answers, with those for `hours` replaced by the second ones."""
        kept = {hour: numbers for hour, numbers in self.settled.items() if hour not in hours}
        return Answers(
            kept | again.settled, sorted([*self.moving, *again.moving]), sorted([*self.of_old_logs, *again.of_old_logs])
        )


async def ask_for_hours(
    store: StoreReader, client: httpx.AsyncClient, log: str, expected: Mapping[int, Covered]
) -> Answers:
    """Asks for each hour of `expected`: what its windows covered when they were compared with the log.

    An answer is settled if the windows of the hour cover the same after it, as what they cover only rises. Hours that
    have been counted on already are not asked for. Raises NoAnswer, and what the store raises.
    """
    before = await _covered(store, expected)
    with_old = [hour for hour in expected if any(source.log != log for source in before.get(hour, {}))]
    still = [hour for hour in expected if hour not in with_old and before.get(hour, {}) == expected[hour]]
    answers = await _ask(client, still)
    after = await _covered(store, expected)
    settled = {hour: answers[hour] for hour in still if after.get(hour, {}) == expected[hour]}
    return Answers(settled, sorted(expected.keys() - settled.keys() - set(with_old)), sorted(with_old))


async def _covered(store: StoreReader, hours: Collection[int]) -> dict[int, dict[LogPartition, int]]:
    highest: dict[int, dict[LogPartition, int]] = defaultdict(dict)
    if not hours:
        return highest
    for point in await store.read_windows_between(min(hours), max(hours) + HOUR_MS):
        covered = highest[point.hour]
        covered[point.source] = max(covered.get(point.source, -1), point.value.through_offset)
    return highest


class _Hour(msgspec.Struct):
    counts: dict[str, int]
    duplicates: int
    unique_users: int


async def _ask(client: httpx.AsyncClient, hours: Collection[int]) -> dict[int, Numbers]:
    limit = asyncio.Semaphore(_CONCURRENT)

    async def ask(hour: int) -> Numbers:
        async with limit:
            return await _answer(client, hour)

    return dict(zip(hours, await asyncio.gather(*map(ask, hours)), strict=True))


async def _answer(client: httpx.AsyncClient, hour: int) -> Numbers:
    path = f"/v1/hours/{format_hour(hour)}"
    try:
        response = await client.get(path)
    except httpx.HTTPError as error:
        raise NoAnswer(f"the aggregator at {client.base_url} does not answer: {error!r}") from error
    if not response.is_success:
        raise NoAnswer(f"{client.base_url}{path}: HTTP {response.status_code}: {response.text[:_SHOWN]}")
    try:
        found = msgspec.json.decode(response.content, type=_Hour)
    except msgspec.DecodeError as error:
        raise NoAnswer(f"{client.base_url}{path}: not an answer for an hour: {error}") from error
    return Numbers(found.counts, found.duplicates, found.unique_users)


def aggregator_client(
    url: str,
    headers: Mapping[str, str],
    verify: ssl.SSLContext | bool = True,  # noqa: FBT001, FBT002 - httpx' own type
) -> httpx.AsyncClient:
    """A client of the aggregator: each hour is read afresh, and no proxy is used, as none can reach our services."""
    fresh = {**headers, "Cache-Control": "no-cache"}
    return httpx.AsyncClient(base_url=url, headers=fresh, timeout=_TIMEOUT, trust_env=False, verify=verify)
