"""`python -m bench.soak`: the whole pipeline at a share of what it can do, for long: does lag grow, or memory?"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
import uvloop

from bench.report import write
from bench.running.driver import console
from bench.running.pipeline import BATCH, SAMPLE_SECONDS, Pipeline, pipeline
from bench.running.services import started
from bench.soaking.freshness import Freshness
from bench.soaking.judge import MEMORY_STANDS_STILL, STANDS_STILL_SECONDS, lag_growth, lag_stands_still, memory_growth
from bench.soaking.limit import highest
from stores.raw.settings import RawStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.load.generator import Answers

_BURST_SECONDS: Final = 15.0
_ACCEPTED: Final = 0.99
"""A rate is none if less than this share of it was accepted."""


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="For how many minutes")] = 20,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="The share of the limit that is sent")] = 0.8,
    trial: Annotated[float, typer.Option(min=0.1, help="For how many minutes a rate must hold to be the limit")] = 2,
    rate: Annotated[
        float | None, typer.Option(min=1_000, help="Actions a second to send, without a search for the limit")
    ] = None,
    raw: Annotated[RawStorage, typer.Option(help="How raw actions are stored")] = RawStorage.POINTS,
    counted_within: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds after their answers within which 99 % must be counted")
    ] = None,
) -> None:
    """Finds the highest rate at which lag stands still, then keeps a share of it.

    Exit code 1 where lag or a process's memory grew, or actions were counted too late; a wrong number raises
    WrongResult.
    """
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        started(Path(folder), for_long=True) as services,
        pipeline(services, raw) as soaked,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        found = runner.run(_run(soaked, minutes * 60, share, trial * 60, rate))
        found["late"] = counted_late(soaked.freshness, counted_within)
    found["raw actions"] = raw
    for line in as_markdown(found):
        typer.echo(line)
    console.print(f"written: {write('soak', found)}")
    if found["grew"]:
        console.print(f"[red]grew[/red]: {', '.join(found['grew'])}")
    if found["late"]:
        console.print(f"[red]counted too late[/red]: {', '.join(found['late'])}")
    if found["grew"] or found["late"]:
        raise typer.Exit(1)


def counted_late(freshness: Freshness, within: float | None) -> list[str]:
    """What is wrong with how soon actions were counted, in words; `within`, seconds: None if it does not matter."""
    p99 = freshness.at_share(0.99)
    return [] if within is None or p99 <= within else [f"p99 {p99:.3f} s, not within {within:g} s"]


def as_markdown(found: Mapping[str, Any]) -> Iterator[str]:
    """A table for the README, of what was found: a figure each row."""
    yield "| figure | measured |"
    yield "| --- | --- |"
    for name, value in found.items():
        if isinstance(value, int | float | str):
            yield f"| {name} | {value:,} |" if isinstance(value, int) else f"| {name} | {value} |"


async def _run(
    soaked: Pipeline, seconds: float, share: float, trial_seconds: float, rate: float | None
) -> dict[str, Any]:
    limit, sent = None, rate
    if sent is None:
        limit = await _limit(soaked, trial_seconds)
        sent = limit * share
        console.print(f"limit: {limit:,.0f} actions/s; {share:.0%} of it is sent")
    console.print(f"{sent:,.0f} actions/s for {seconds:,.0f} s")
    async with _sampled(soaked):
        probing = asyncio.create_task(soaked.freshness.probe())
        answers = await soaked.load(seconds, sent)
        soaked.freshness.end()
    await probing
    await soaked.until_counted()
    await soaked.require_right()
    return figures_of(soaked, answers, limit, sent)


def figures_of(soaked: Pipeline, answers: "Answers", limit: float | None, sent: float) -> dict[str, Any]:
    """What was measured, and under `grew` what should have stood still and did not.

    `limit`, actions a second: None if none was looked for.
    """
    memory = {name: round(memory_growth(series), 3) for name, series in soaked.memory_mb.items()}
    grew = [name for name, growth in memory.items() if growth > MEMORY_STANDS_STILL]
    if not _holds(soaked, answers, sent):
        grew.insert(0, "lag")
    return {
        **({} if limit is None else {"limit, actions/s": round(limit)}),
        "sent, actions/s": round(sent),
        "accepted, actions/s": round(_accepted(answers)),
        "for, s": round(answers.seconds),
        "POST of 1,000, p50, ms": round(answers.latency_ms(0.5), 2),
        "POST of 1,000, p99, ms": round(answers.latency_ms(0.99), 2),
        "counted after its answer, p50, s": round(soaked.freshness.at_share(0.5), 2),
        "counted after its answer, p99, s": round(soaked.freshness.at_share(0.99), 2),
        "probes": len(soaked.freshness.seconds),
        "most lines waiting": max(soaked.waiting),
        "lag grew by, s": round(lag_growth(soaked.waiting, sent), 2),
        "lag may grow by, s": STANDS_STILL_SECONDS,
        "grew": grew,
        "memory MB at most": {name: max(series) for name, series in soaked.memory_mb.items()},
        "memory growth": memory,
        "series": {
            "seconds between": SAMPLE_SECONDS,
            "memory MB": soaked.memory_mb,
            "lines waiting": soaked.waiting,
        },
    }


async def _limit(soaked: Pipeline, seconds: float) -> float:
    """The highest rate, actions a second, that was accepted, and at which lag stood still, for so long."""
    accepted = _accepted(await soaked.load(_BURST_SECONDS, None))
    await soaked.until_counted()
    console.print(f"for {_BURST_SECONDS:.0f} s, {accepted:,.0f} actions/s were accepted")

    async def holds(rate: float) -> bool:
        async with _sampled(soaked):
            answers = await soaked.load(seconds, rate)
        held = _holds(soaked, answers, rate)
        console.print(
            f"{rate:,.0f} actions/s for {seconds:.0f} s: {_accepted(answers):,.0f} accepted, lag grew by "
            f"{lag_growth(soaked.waiting, rate):.2f} s: {'held' if held else 'not held'}"
        )
        await soaked.until_counted()
        return held

    return await highest(holds, accepted / 4, accepted)


def _holds(soaked: Pipeline, answers: "Answers", rate: float) -> bool:
    return _accepted(answers) >= _ACCEPTED * rate and lag_stands_still(soaked.waiting, rate)


def _accepted(answers: "Answers") -> float:
    """Actions a second."""
    return answers.times.total() * BATCH / answers.seconds


@asynccontextmanager
async def _sampled(soaked: Pipeline) -> "AsyncIterator[None]":
    """What is sampled meanwhile is all that was sampled."""
    soaked.waiting.clear()
    soaked.memory_mb.clear()
    sampling = asyncio.create_task(soaked.sample())
    try:
        yield
    finally:
        sampling.cancel()
        await asyncio.wait([sampling])
    if not sampling.cancelled():
        await sampling


if __name__ == "__main__":
    typer.run(main)
