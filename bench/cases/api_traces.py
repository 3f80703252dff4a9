"""What traces cost the ingest API: processes with and without them at once, and load that takes turns between them.

One after the other they could not be compared: on a shared machine the same process takes 49 us a request in one run,
and 69 in the next.
"""

import random
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from statistics import mean
from typing import Final

import psutil  # type: ignore[import-untyped] # it has no types

from bench.case import Case, Contender, Figures
from bench.cases.api import actions, load, require_in_log, single_posts
from bench.load.span_sink import SpanSink
from bench.load.traffic import Made
from bench.running.cores import placed
from bench.running.services import Services, pid_of
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService

_OF_EACH: Final = 2
"""Processes of one kind differ by some percent, as their memory happens to lie."""
_TURNS: Final = 12
_SECONDS: Final = 0.4
_CONNECTIONS: Final = 64


def singles_with_traces(services: Services) -> Case:
    """Single POSTs on processes that record 1 % of them, and on others with traces off."""
    return Case("API, single POSTs, traces on", [Contender("ours", partial(_in_turns, services))])


class _Process:
    """One process of the API, with a topic of its own."""

    def __init__(self, services: Services, stack: ExitStack, settings: Mapping[str, str]) -> None:
        self.is_traced = bool(settings)
        self._services = services
        self._topic = services.topic()
        self._shape = single_posts(_CONNECTIONS)
        environment = {**services.environment(self._topic), **settings}
        self._api = PythonService("ingest_api", free_port(), services.log("ingest_api"), "ingest_api", environment)
        stack.enter_context(self._api)
        self.pid = pid_of(self._api)
        self._sent: Counter[Made] = Counter()

    def take_turn(self) -> int:
        """How many actions were acknowledged meanwhile."""
        taken = actions(self._shape, load(self._shape, self._api.port, _SECONDS))
        self._sent.update(taken)
        return taken.total()

    def cpu(self) -> float:
        """Seconds so far."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def require_in_log(self) -> None:
        """Raises WrongResult unless the log has what was acknowledged."""
        require_in_log(self._services, self._topic, self._sent)


def _in_turns(services: Services) -> Figures:
    with SpanSink() as sink, ExitStack() as stack:
        kinds = [*[sink.environment] * _OF_EACH, *[{}] * _OF_EACH]
        # Who is started later may lie worse in memory.
        random.shuffle(kinds)
        processes = [_Process(services, stack, settings) for settings in kinds]
        stack.enter_context(placed([one.pid for one in processes], services.pids))
        for one in processes:
            one.take_turn()
        before = [one.cpu() for one in processes]
        numbers = dict.fromkeys(processes, 0)
        for _ in range(_TURNS):
            for one in random.sample(processes, len(processes)):
                numbers[one] += one.take_turn()
        costs = [(one.cpu() - earlier) / numbers[one] * 1e6 for one, earlier in zip(processes, before, strict=True)]
        for one in processes:
            one.require_in_log()
    sink.require_some()
    on, off = (
        mean(cost for cost, one in zip(costs, processes, strict=True) if one.is_traced is is_traced)
        for is_traced in (True, False)
    )
    return {"CPU us/action": on, "with traces off, CPU us/action": off, "CPU, traces on / off": on / off}
