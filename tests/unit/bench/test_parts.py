"""The benchmarks' own parts: turns, ratios, the oracle, and the load generator."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from bench.case import Case, Contender, Figures, WrongResult, measure, require, require_at_most_linear
from bench.load.generator import Load, request
from bench.load.traffic import HOUR_MS, Made, Numbers, count, each_user_once, records
from bench.running.services import left_in_order
from contract.log.record import decode_record


def test_contenders_take_turns_and_ratios_are_of_medians() -> None:
    turns: list[str] = []

    def contender(name: str, speeds: list[float]) -> Contender:
        def run() -> Figures:
            turns.append(name)
            return {"actions/s": speeds.pop()}

        return Contender(name, run)

    case = Case("case", [contender("ours", [1, 60, 50]), contender("other", [10, 30, 20])])
    measured = measure(case, 3, lambda _: None)
    assert turns == ["ours", "other"] * 3
    assert list(measured.rows()) == [("ours", "actions/s", 50, None), ("other", "actions/s", 20, 2.5)]


def _costing(*costs: float) -> Case:
    contenders = [Contender(str(cost), lambda cost=cost: {"CPU s": cost}) for cost in costs]  # type: ignore[misc] # mypy cannot infer defaults
    return Case("users", contenders, sizes=[10, 100, 1_000][: len(costs)])


@pytest.mark.parametrize("costs", [(1, 1, 1), (1, 10, 100), (5, 1, 9)])
def test_cost_that_grows_at_most_as_the_size_does_passes(costs: tuple[float, ...]) -> None:
    case = _costing(*costs)
    require_at_most_linear(case, measure(case, 1, lambda _: None), "CPU s")


@pytest.mark.parametrize("costs", [(1, 20), (1, 1, 16)])
def test_cost_that_grows_faster_than_the_size_is_a_wrong_result(costs: tuple[float, ...]) -> None:
    case = _costing(*costs)
    with pytest.raises(WrongResult, match="users: CPU s grows"):
        require_at_most_linear(case, measure(case, 1, lambda _: None), "CPU s")


def test_the_oracle_of_users_that_come_once_needs_no_counting() -> None:
    made = list(each_user_once(HOUR_MS, 1_001))
    assert count(made) == {HOUR_MS: Numbers(1_001, 501, 500)}


def test_a_case_that_takes_long_runs_once_however_many_rounds_there_are() -> None:
    case = Case("failover", [Contender("ours", lambda: {"s": 1.0})], once=True)
    assert measure(case, 3, lambda _: None).runs == {"ours": [{"s": 1.0}]}


def _noting(happened: list[str], run: Callable[[], Figures]) -> Case:
    """A case whose background, and whose two contenders, note what happens."""

    @contextmanager
    def background() -> Iterator[None]:
        happened.append("begins")
        try:
            yield
        finally:
            happened.append("ends")

    def noted() -> Figures:
        happened.append("run")
        return run()

    return Case("case", [Contender("ours", noted), Contender("other", noted)], background=background())


def test_what_runs_in_the_background_of_a_case_runs_beside_all_its_runs() -> None:
    happened: list[str] = []
    measure(_noting(happened, lambda: {"s": 1.0}), 2, lambda _: None)
    assert happened == ["begins", *["run"] * 4, "ends"]


def test_what_runs_in_the_background_ends_though_a_run_fails() -> None:
    happened: list[str] = []

    def fail() -> Figures:
        raise WrongResult

    with pytest.raises(WrongResult):
        measure(_noting(happened, fail), 2, lambda _: None)
    assert happened == ["begins", "run", "ends"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_terminated_stops_what_it_started(number: signal.Signals) -> None:
    before, stopped = signal.getsignal(number), []

    def run() -> None:
        with left_in_order(), ExitStack() as services:
            services.callback(lambda: stopped.append("first"))
            # Whoever is impatient must not break off the stopping.
            services.callback(lambda: signal.raise_signal(number))
            signal.raise_signal(number)

    with pytest.raises(SystemExit, match=str(128 + number)):
        run()
    assert stopped == ["first"]
    assert signal.getsignal(number) is before


def test_a_wrong_result_is_told_with_what_was_expected() -> None:
    with pytest.raises(WrongResult, match="hours: 1 instead of 2"):
        require(1, 2, "hours")


def test_the_oracle_counts_by_hour() -> None:
    made = [Made(0, "a", "click"), Made(1, "a", "impression"), Made(HOUR_MS, "b", "click")]
    assert count(made) == {0: Numbers(1, 1, 1), HOUR_MS: Numbers(1, 1, 0)}


def test_records_hold_every_action_and_at_most_so_many_lines() -> None:
    made = [Made(number, f"user-{number % 7}", "click") for number in range(100)]
    values = [decode_record(value) for _, value in records(made, 4, 8)]
    assert max(map(len, values)) == 4
    assert sorted(action.timestamp for value in values for action in value) == list(range(100))  # type: ignore[union-attr] # all are actions


@pytest.fixture
async def server() -> AsyncIterator[asyncio.Server]:
    """Answers with a body in two pieces; 500 to /bad."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            status = b"500 bad" if b"/bad" in head else b"200 OK"
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: 4\r\n\r\nbo" % status)
            await writer.drain()
            writer.write(b"dy")

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(quietly, "127.0.0.1", 0) as one:
        yield one


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("rate", [None, 200.0])
async def test_the_load_counts_each_request_that_was_answered(server: asyncio.Server, rate: float | None) -> None:
    requests = [request("GET", f"/{number}") for number in range(3)]
    answers = await Load(requests, b"200 ", rate=rate).run(_port(server), 4, 0.2)
    assert answers.times.keys() == {0, 1, 2}
    assert answers.times.total() == len(answers.latencies)


async def test_a_load_that_drops_what_is_late_ends_however_much_is_due(server: asyncio.Server) -> None:
    answers = await Load([request("GET", "/")], b"200 ", rate=1e5, drops_late=True).run(_port(server), 1, 0.2)
    assert 0 < answers.times.total() < 0.2 * 1e5


async def test_the_load_fails_at_an_answer_that_is_not_the_expected_one(server: asyncio.Server) -> None:
    with pytest.raises(WrongResult, match="500 bad"):
        await Load([request("GET", "/bad")], b"200 ").run(_port(server), 1, 0.2)


async def test_a_load_at_a_set_rate_leaves_no_connection_silent() -> None:
    # Servers close a connection that says nothing for some seconds.
    served: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                served.append(peer)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        await Load([request("GET", "/")], b"200 ", rate=100.0).run(_port(server), 4, 0.2)
    assert len(set(served)) == 4
