"""A broker that dies, hangs or cannot be reached changes no number."""

import asyncio
import signal

import pytest

from support.faults.proxied_kafka import ProxiedKafka
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.environment import PARTITIONS, Environment
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults


async def test_the_broker_killed_and_started_again(
    environment: Environment, scenario: Scenario, kafka: ProxiedKafka
) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=31):
        await scenario.counted(3_000)
        kafka.kill()
        kafka.start()
        await asyncio.to_thread(kafka.wait_until_ready)
        await scenario.recovered("SIGKILL of the broker")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


async def test_the_broker_stalled_for_20_s(environment: Environment, scenario: Scenario, kafka: ProxiedKafka) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=32):
        await scenario.counted(3_000)
        assert kafka.process is not None
        kafka.process.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(20)
        finally:
            kafka.process.send(signal.SIGCONT)
        await scenario.recovered("20 s of SIGSTOP of the broker")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


async def test_a_worker_cut_off_from_kafka_beyond_its_session(
    environment: Environment, scenario: Scenario, kafka: ProxiedKafka, network: ToxicNetwork
) -> None:
    with network.proxy(kafka.behind_proxy, kafka.proxied) as link:
        lonely, other = environment.start_worker(kafka_bootstrap=kafka.proxied), environment.start_worker()
        async with scenario.traffic(seed=33):
            await scenario.counted(3_000)
            with link.cut():
                await scenario.recovered("one of two workers cut off from Kafka")
                await scenario.counted(2_000)

            async def shared() -> bool:
                owned = [await asyncio.to_thread(worker.owned) for worker in (lonely, other)]
                return all(owned) and sorted(owned[0] + owned[1]) == list(range(PARTITIONS))

            scenario.note("healed, until both own a share", await scenario.until("both own a share", shared))
            await scenario.recovered("the network healed")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []
