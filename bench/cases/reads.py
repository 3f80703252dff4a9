"""The aggregator: the current hour is read while actions come in, and how soon what was acknowledged is counted."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import urlencode

import httpx
import psutil  # type: ignore[import-untyped] # it has no types
import uvloop

from bench.case import Case, Contender, Figures, require
from bench.load.generator import Answers, Load, request
from bench.load.traffic import HOUR_MS, Made, Numbers
from bench.running.cores import first_in_line, placed
from bench.running.services import Services, pid_of
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from stores.influx.schema import Bucket, windows_between
from stores.influx.settings import InfluxSettings

_RATE: Final = 1_000.0
_BASELINE_RATE: Final = 200.0
_SECONDS: Final = 8.0
_BATCH: Final = 1_000
_BATCHES_A_SECOND: Final = 50.0
_USERS: Final = 50_000
_PROBES: Final = 150
_PROBING_SECONDS: Final = 20.0
_LATE_HOURS: Final = 10_000
_LOOK_SECONDS: Final = 0.005
_LONGEST: Final = 30.0


class Pipeline(NamedTuple):
    """One process of each service, and the hour that all actions of a run are in."""

    ingest_port: int
    aggregator_port: int
    aggregator_pid: int
    influx: InfluxSettings
    influx_port: int
    hour: int


class Feed(NamedTuple):
    """What comes in: batches that are sent in turn, again and again."""

    batches: Sequence[Sequence[Made]]
    batches_a_second: float


Job = Callable[[Pipeline], Awaitable[Figures]]


def current_hour(services: Services) -> Case:
    """GET /analytics at 1,000 requests/s, 50,000 actions/s coming in; the baseline is a bare query of InfluxDB."""
    return Case(
        "read the current hour",
        [
            Contender("ours, 1,000 requests/s", partial(on_pipeline, services, _read_ours)),
            Contender("InfluxDB, one bare query, 200 requests/s", partial(on_pipeline, services, _read_influx)),
        ],
    )


def freshness(services: Services) -> Case:
    """From the answer to a POST to the GET that counts it, 50,000 actions/s coming in."""
    return Case("freshness: acknowledged until counted", [Contender("ours", partial(on_pipeline, services, _probe))])


def late(services: Services) -> Case:
    """As freshness, of the current hour, 10,000 actions/s coming in, half of them for the 10,000 hours before."""
    return Case(
        "freshness, 50 % late over 10,000 hours", [Contender("ours", partial(on_pipeline, services, _probe_late))]
    )


def on_pipeline(services: Services, job: Job) -> Figures:
    """Runs the job on one process of each service, on a topic and buckets of its own."""

    async def started() -> Figures:
        return await job(pipeline)

    with _pipeline(services) as pipeline, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(started())


@contextmanager
def _pipeline(services: Services) -> Iterator[Pipeline]:
    topic = services.topic()
    with services.buckets() as influx:
        environment = services.environment(topic, influx)

        def service(module: str) -> PythonService:
            return PythonService(module, free_port(), services.log(module), module, environment)

        with (
            service("stream_workers") as worker,
            service("ingest_api") as ingest,
            service("aggregator") as aggregator,
            placed([pid_of(service) for service in (worker, ingest, aggregator)], services.pids),
            first_in_line(),
        ):
            hour = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS
            yield Pipeline(ingest.port, aggregator.port, pid_of(aggregator), influx, services.influxdb.port, hour)


@asynccontextmanager
async def fed(pipeline: Pipeline, seconds: float, probes: int = 0) -> AsyncIterator[None]:
    """Impressions come in, so that clicks are the probes' own. At last everything that was sent must be counted."""
    async with _fed(pipeline, _busy(pipeline), seconds, probes):
        yield


def _busy(pipeline: Pipeline) -> Feed:
    """50,000 actions/s of one hour."""
    firsts = range(0, _USERS, _BATCH)
    batches = [[_action(pipeline, f"user-{at + n}", "impression") for n in range(_BATCH)] for at in firsts]
    return Feed(batches, _BATCHES_A_SECOND)


def _late(pipeline: Pipeline) -> Feed:
    """10,000 actions/s, every other one in one of the 10,000 hours before."""
    feed, chance = _busy(pipeline), random.Random(8)  # noqa: S311 - it needs no secrecy

    def moved(made: Made, number: int) -> Made:
        ago = chance.randrange(1, _LATE_HOURS + 1) * HOUR_MS if number % 2 else 0
        return made._replace(timestamp=made.timestamp - ago)

    batches = [[moved(made, number) for number, made in enumerate(batch)] for batch in feed.batches]
    return Feed(batches, _BATCHES_A_SECOND / 5)


@asynccontextmanager
async def _fed(pipeline: Pipeline, feed: Feed, seconds: float, probes: int) -> AsyncIterator[None]:
    requests = [_post(actions) for actions in feed.batches]
    load = Load(requests, b"200 ", rate=feed.batches_a_second)
    feeding = asyncio.create_task(load.run(pipeline.ingest_port, 8, seconds))
    yield
    times = (await feeding).times
    of_hour = {index: [made for made in feed.batches[index] if made.timestamp == pipeline.hour] for index in times}
    users = {made.user for some in of_hour.values() for made in some}
    impressions = sum(times[index] * len(some) for index, some in of_hour.items())
    expected = Numbers(len(users) + min(probes, 1), probes, impressions)
    async with reader_of(pipeline) as http:
        await _until(http, lambda found: found.impressions >= expected.impressions)
        require(await _numbers(http), expected, "the hour")


async def _read_ours(pipeline: Pipeline) -> Figures:
    return await _read(pipeline, pipeline.aggregator_port, f"/analytics?timestamp={pipeline.hour}", _RATE)


async def _read_influx(pipeline: Pipeline) -> Figures:
    bucket = Bucket.named(pipeline.influx.hourly_bucket)
    query = windows_between(pipeline.hour, pipeline.hour + HOUR_MS, None)
    return await _read(
        pipeline, pipeline.influx_port, "/query?" + urlencode({"db": bucket.database, "q": query}), _BASELINE_RATE
    )


async def _read(pipeline: Pipeline, port: int, target: str, rate: float) -> Figures:
    requests = [request("GET", target)]
    async with fed(pipeline, _SECONDS + 1):
        # Whoever asks first for an hour waits until it is read; and it has its first windows by the end of this.
        await Load(requests, b"200 ", rate=rate).run(port, 16, 1)
        cpu_before = cpu_of(pipeline)
        answers = await Load(requests, b"200 ", rate=rate).run(port, 16, _SECONDS)
        cpu = cpu_of(pipeline) - cpu_before
    figures = latencies_of(answers)
    if port == pipeline.aggregator_port:
        figures["CPU us/request"] = cpu / answers.times.total() * 1e6
    return figures


async def _probe(pipeline: Pipeline) -> Figures:
    return await _probe_beside(pipeline, _busy(pipeline))


async def _probe_late(pipeline: Pipeline) -> Figures:
    return await _probe_beside(pipeline, _late(pipeline))


async def _probe_beside(pipeline: Pipeline, feed: Feed) -> Figures:
    """Clicks of one user: they lie on one partition, so they are counted in the order of their acknowledgements."""
    acknowledged: list[float] = []
    async with (
        _fed(pipeline, feed, _PROBING_SECONDS, _PROBES),
        reader_of(pipeline) as reader,
        httpx.AsyncClient(timeout=_LONGEST) as writer,
    ):
        watching = asyncio.create_task(_watch(reader, acknowledged))
        waits = random.Random(7)  # noqa: S311 - they need no secrecy
        action = _action(pipeline, "prober", "click")
        for _ in range(_PROBES):
            # At even times the probes might always meet the same moment of a flush interval.
            await asyncio.sleep(waits.uniform(0, 2 * _PROBING_SECONDS / _PROBES))
            url = f"http://127.0.0.1:{pipeline.ingest_port}/analytics"
            (await writer.post(url, params=action._asdict())).raise_for_status()
            acknowledged.append(time.monotonic())
        return latencies_of(await watching)


async def _watch(reader: httpx.AsyncClient, acknowledged: Sequence[float]) -> Answers:
    """How long after its acknowledgement each probe was counted."""
    answers = Answers()
    async with asyncio.timeout(_PROBING_SECONDS + _LONGEST):
        while len(answers.latencies) < _PROBES:
            clicks = (await _numbers(reader)).clicks
            now = time.monotonic()
            answers.latencies.extend(now - instant for instant in acknowledged[len(answers.latencies) : clicks])
            await asyncio.sleep(_LOOK_SECONDS)
    return answers


def cpu_of(pipeline: Pipeline) -> float:
    """Seconds of CPU that the aggregator has taken."""
    times = psutil.Process(pipeline.aggregator_pid).cpu_times()
    return float(times.user + times.system)


def latencies_of(answers: Answers) -> dict[str, float]:
    """The median and the 99th percentile."""
    return {"p50 ms": answers.latency_ms(0.5), "p99 ms": answers.latency_ms(0.99)}


def _action(pipeline: Pipeline, user: str, event: str) -> Made:
    return Made(pipeline.hour, user, event)


def _post(actions: Sequence[Made]) -> bytes:
    body = b"\n".join([made.line() for made in actions])
    return request("POST", "/v1/actions", body, "application/x-ndjson")


@asynccontextmanager
async def reader_of(pipeline: Pipeline) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the aggregator."""
    url = f"http://127.0.0.1:{pipeline.aggregator_port}"
    async with httpx.AsyncClient(base_url=url, params={"timestamp": pipeline.hour}, timeout=_LONGEST) as http:
        yield http


async def _numbers(http: httpx.AsyncClient) -> Numbers:
    answer = (await http.get("/analytics")).raise_for_status()
    return Numbers(*(int(line.partition(",")[2]) for line in answer.text.splitlines()))


async def _until(http: httpx.AsyncClient, holds: Callable[[Numbers], bool]) -> None:
    async with asyncio.timeout(_LONGEST):
        while not holds(await _numbers(http)):  # noqa: ASYNC110 - it is another process that we wait for
            await asyncio.sleep(_LOOK_SECONDS)
