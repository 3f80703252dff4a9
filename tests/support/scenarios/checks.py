"""Checks of what the product reports once everything is counted: answers, ledger and audit, against the log.

Each yields what is not as promised.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import httpx

from collector.audit.recount import HourRange
from collector.audit.run import Audit
from collector.audit.verdict import Outcome, Verdict
from collector.target import AuditSettings, Target
from contract.hour import END_OF_TIME_MS, format_hour
from stores.cassandra.settings import CassandraSettings
from stores.settings import StoreKind
from support.scenarios.environment import Environment
from support.scenarios.ledger import Key, Ledger
from support.scenarios.log_count import LogCount

CONCURRENCY = 8
ATTEMPTS = 10


async def answers_of(http: httpx.AsyncClient, hours: Collection[int]) -> dict[int, dict[str, Any]]:
    """The aggregator's answer for each hour, once it says how complete that is."""
    limit = asyncio.Semaphore(CONCURRENCY)

    async def ask(hour: int) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            async with limit:
                answer = dict((await http.get(f"/v1/hours/{format_hour(hour)}")).raise_for_status().json())
            if answer["lag"] is not None:
                break
            # Kafka took too long to answer for the end offsets; the aggregator does not ask again before this time.
            await asyncio.sleep(2)
        return answer

    return dict(zip(hours, await asyncio.gather(*map(ask, hours)), strict=True))


def wrong_answers(answers: Mapping[int, Mapping[str, Any]], counted: LogCount) -> Iterator[str]:
    """Each hour must be what the log gives, and nothing may be left to count."""
    for hour, answer in answers.items():
        expected = counted.hours[hour].answer() | {"lag": 0}
        found = {name: answer[name] for name in expected}
        if found != expected:
            yield f"{answer['hour']}: {found}, the log has {expected}"


def wrong_actions(ledger: Ledger, counted: LogCount) -> Iterator[str]:
    """What was acknowledged must be in the log, and nothing else but what has an unknown outcome."""
    if lost := ledger.acknowledged - counted.keys:
        yield f"{len(lost)} acknowledged actions are not in the log: {_some(lost)}"
    if foreign := counted.keys - ledger.acknowledged - ledger.unknown:
        yield f"{len(foreign)} actions are in the log that were refused or never sent: {_some(foreign)}"


def _some(keys: set[Key]) -> list[Key]:
    return sorted(keys)[:3]


async def read_ledger(http: httpx.AsyncClient) -> dict[str, Any]:
    """The aggregator's ledger, once it says how much is unread."""
    for _ in range(ATTEMPTS):
        ledger = dict((await http.get("/v1/ledger")).raise_for_status().json())
        if ledger["totals"]["unread"] is not None:
            break
        # As above.
        await asyncio.sleep(2)
    return ledger


def wrong_ledger(ledger: Mapping[str, Any], counted: LogCount) -> Iterator[str]:
    """The ledger must balance in every partition, and account for every line."""
    if ledger["balanced"] is not True:
        off = [one for one in ledger["partitions"] if one["balanced"] is not True]
        yield f"the ledger is not balanced: {off}"
    totals = {**ledger["totals"], "rejected": sum(ledger["totals"]["rejected"].values())}
    expected = {
        "lines": counted.lines,
        "counted": len(counted.keys),
        "duplicates": counted.duplicates,
        "rejected": counted.rejected,
        "lost": 0,
        "unread": 0,
    }
    if totals != expected:
        yield f"the ledger says {totals}, the log has {expected}"


def run_audit(environment: Environment) -> Verdict:
    """`collector audit`, in this process; blocking."""
    kind = StoreKind.CASSANDRA if isinstance(environment.store, CassandraSettings) else StoreKind.INFLUX
    settings = AuditSettings(
        **dict(environment.store), store=kind, kafka_bootstrap=environment.bootstrap, topic=environment.topic
    )
    audit = Audit(Target(settings, environment.aggregator_url), HourRange(0, END_OF_TIME_MS))
    return audit.run(lambda _total: None, lambda _offsets: None)


def wrong_audit(verdict: Verdict, counted: LogCount) -> Iterator[str]:
    """The audit must have judged all lines, and found everything equal."""
    if verdict.outcome is not Outcome.EQUAL or verdict.moving or verdict.lines != counted.lines:
        yield "\n".join(["audit:", *verdict.text(), f"the log has {counted.lines:,} lines"])
