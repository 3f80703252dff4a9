"""`python -m bench.soak`: the whole pipeline at a share of what it can do, for long; whose memory grows?"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import msgspec
import typer
import uvloop

from bench.report import write
from bench.running.driver import console
from bench.running.pipeline import BATCH, SAMPLE_SECONDS, Pipeline, pipeline
from bench.running.services import started

_LIMIT_SECONDS: Final = 15.0
_FLAT: Final = 1.1
"""The last quarter's median memory by the second quarter's, at most: in the first one caches fill."""


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="For how many minutes")] = 20,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="The share of the limit that is sent")] = 0.8,
) -> None:
    """Finds the pipeline's limit, then keeps a share of it, and reports how each process's memory developed.

    Exit code 1 where memory grew; a wrong number raises WrongResult.
    """
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        started(Path(folder)) as services,
        pipeline(services) as soaked,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        found = runner.run(_run(soaked, minutes * 60, share))
    console.print_json(msgspec.json.encode({name: found[name] for name in found if name != "series"}).decode())
    console.print(f"written: {write('soak', found)}")
    if grown := [name for name, growth in found["growth"].items() if growth > _FLAT]:
        console.print(f"[red]memory grew[/red]: {', '.join(grown)}")
        raise typer.Exit(1)


async def _run(soaked: Pipeline, seconds: float, share: float) -> dict[str, Any]:
    limit = await _limit(soaked)
    console.print(f"limit: {limit:,.0f} actions/s; {share:.0%} of it for {seconds:,.0f} s")
    sampling = asyncio.create_task(soaked.sample())
    answers = await soaked.load(seconds, limit * share)
    sampling.cancel()
    await asyncio.wait([sampling])
    await soaked.until_counted()
    await soaked.require_right()
    return {
        "limit actions/s": round(limit),
        "held actions/s": round(answers.times.total() * BATCH / answers.seconds),
        "seconds": round(answers.seconds),
        "p50 ms": round(answers.latency_ms(0.5), 2),
        "p99 ms": round(answers.latency_ms(0.99), 2),
        "most lines waiting": max(soaked.waiting),
        "memory MB at most": {name: max(series) for name, series in soaked.memory_mb.items()},
        "growth": {name: round(growth(series), 3) for name, series in soaked.memory_mb.items()},
        "series": {
            "seconds between": SAMPLE_SECONDS,
            "memory MB": soaked.memory_mb,
            "lines waiting": soaked.waiting,
        },
    }


async def _limit(soaked: Pipeline) -> float:
    """Actions a second, acknowledged and counted: what is sent faster only waits."""
    began = time.monotonic()
    await soaked.load(_LIMIT_SECONDS, None)
    await soaked.until_counted()
    return soaked.lines / (time.monotonic() - began)


def growth(series: Sequence[float]) -> float:
    """The median of its last quarter by that of its second one; of a short series, of its end by its beginning."""
    quarter = max(1, len(series) // 4)
    return median(series[-quarter:]) / median(series[quarter : 2 * quarter] or series[:1])


if __name__ == "__main__":
    typer.run(main)
