"""The ingest API: actions acknowledged by Kafka, by one process on one core; the load and Kafka are on the other."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import psutil  # type: ignore[import-untyped] # it has no types
import uvloop

from bench.case import Case, Contender, Figures, WrongResult
from bench.load.generator import Answers, Load, request
from bench.load.log_content import lines_of
from bench.load.traffic import Made, make
from bench.running.cores import apart
from bench.running.services import PARTITIONS, Services, pid_of
from collector.keys.changes import hex_of
from collector.keys.rewriting import rewrite
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from service.keys.key import Key, Scope
from service.keys.secret import new_secret

SECONDS = 5.0
WARM_SECONDS = 1.0
_USERS = 20_000
_BATCH = 1_000
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Shape(NamedTuple):
    """What is sent: each request carries some actions."""

    requests: list[bytes]
    carried: list[Sequence[Made]]
    expected: bytes
    connections: int


def batches() -> Shape:
    """Batches of 1,000 lines of NDJSON over 8 connections."""
    made = make(3, 64 * _BATCH, _USERS)
    carried: list[Sequence[Made]] = [made[start : start + _BATCH] for start in range(0, len(made), _BATCH)]
    ndjson = [_batch_request(b"\n".join(_lines(actions)), "application/x-ndjson") for actions in carried]
    return Shape(ndjson, carried, b"200 ", 8)


def single_posts(connections: int, key: str = "") -> Shape:
    """One action a request, with a key or without."""
    made = make(4, 5_000, _USERS)
    requests = [request("POST", "/analytics?" + urlencode(action._asdict()), key=key) for action in made]
    return Shape(requests, [[action] for action in made], b"204 ", connections)


def batch(services: Services) -> Case:
    """Batches of 1,000: NDJSON for ours, a JSON array for the baseline, which knows no other form."""
    ours = batches()
    array = [_batch_request(b"[%b]" % b",".join(_lines(actions)), "application/json") for actions in ours.carried]
    return Case("API, batches of 1,000", _contenders(services, ours=ours, baseline=ours._replace(requests=array)))


def singles_64(services: Services) -> Case:
    """Single POSTs over 64 connections."""
    return _singles(services, 64)


def singles_256(services: Services) -> Case:
    """Single POSTs over 256 connections."""
    return _singles(services, 256)


def singles_with_keys(services: Services) -> Case:
    """Single POSTs with a key that has all its limits, on a service that needs keys, and the same with keys off."""
    secret = new_secret()
    file = services.folder / "keys.jsonl"
    limited: dict[str, Any] = {
        "actions_per_second": 1e9,
        "requests_per_second": 1e9,
        "hours": 1_000,
        "events": ("click", "impression"),
    }
    limited["expires"] = datetime.now(UTC) + timedelta(days=1)
    key = Key(name="bench", sha256=hex_of(secret), scopes=frozenset({Scope.WRITE}), **limited)
    rewrite(file, lambda _: [key], create=True)
    shape, keys = single_posts(64, secret), {"COLLECTOR_KEYS_FILE": str(file)}
    return Case(
        "API, single POSTs, keys on",
        [
            Contender("ours", partial(_run, services, "ingest_api", shape, settings=keys)),
            Contender("keys off", partial(_run, services, "ingest_api", shape)),
        ],
    )


def _singles(services: Services, connections: int) -> Case:
    shape = single_posts(connections)
    return Case(
        f"API, single POSTs, {connections} connections",
        [
            *_contenders(services, ours=shape, baseline=shape),
            Contender("bare answers", partial(_run, services, "bench.baselines.bare_answers", shape, logged=False)),
        ],
    )


def _contenders(services: Services, *, ours: Shape, baseline: Shape) -> list[Contender]:
    return [
        Contender("ours", partial(_run, services, "ingest_api", ours)),
        Contender("FastAPI + produce + await", partial(_run, services, "bench.baselines.simple_api", baseline)),
    ]


def _batch_request(body: bytes, content_type: str) -> bytes:
    return request("POST", "/v1/actions", body, content_type)


def _lines(actions: Sequence[Made]) -> list[bytes]:
    return [action.line() for action in actions]


def _run(
    services: Services, module: str, shape: Shape, *, logged: bool = True, settings: Mapping[str, str] = _NO_SETTINGS
) -> Figures:
    topic = services.topic()
    environment = {**services.environment(topic), **settings}
    api = PythonService(module, free_port(), services.log(module), module, environment)
    with api, apart(pid_of(api), services.pids):
        warm = load(shape, api.port, WARM_SECONDS)
        process = psutil.Process(pid_of(api))
        before = process.cpu_times()
        answers = load(shape, api.port, SECONDS)
        after = process.cpu_times()
        memory = process.memory_info().rss
    sent = actions(shape, warm) + actions(shape, answers)
    if logged:
        require_in_log(services, topic, sent)
    number = actions(shape, answers).total()
    cpu = after.user + after.system - before.user - before.system
    return {
        "actions/s": number / answers.seconds,
        "p50 ms": answers.latency_ms(0.5),
        "p99 ms": answers.latency_ms(0.99),
        "CPU us/action": cpu / number * 1e6,
        "memory MB": memory / 1e6,
    }


def load(shape: Shape, port: int, seconds: float) -> Answers:
    """Sends the requests round-robin."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Load(shape.requests, shape.expected).run(port, shape.connections, seconds))


def actions(shape: Shape, answers: Answers) -> Counter[Made]:
    """How often each action was acknowledged."""
    sent: Counter[Made] = Counter()
    for index, times in answers.times.items():
        for action in shape.carried[index]:
            sent[action] += times
    return sent


def require_in_log(services: Services, topic: str, sent: Counter[Made]) -> None:
    """Raises WrongResult unless the topic has each action as often as it was acknowledged."""
    found = lines_of(services.kafka.bootstrap, topic, PARTITIONS)
    if found != sent:
        missing, more = (sent - found).total(), (found - sent).total()
        raise WrongResult(f"of {sent.total()} acknowledged actions the log lacks {missing}, and has {more} others")
