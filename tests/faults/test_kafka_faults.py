"""A broker that dies, hangs or cannot be reached changes no number."""

import asyncio
import signal

import pytest

from support.faults.shaken_kafka import ShakenKafka
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.environment import PARTITIONS, Stage
from support.scenarios.scenario import Trial

pytestmark = pytest.mark.faults


async def test_the_broker_killed_and_started_again(stage: Stage, trial: Trial, kafka: ShakenKafka) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=31):
        await trial.counted(3_000)
        kafka.kill()
        kafka.start()
        await asyncio.to_thread(kafka.wait_until_ready)
        await trial.recovered("SIGKILL of the broker")
        await trial.counted(2_000)
    assert await trial.verdict() == []


async def test_the_broker_stalled_for_20_s(stage: Stage, trial: Trial, kafka: ShakenKafka) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=32):
        await trial.counted(3_000)
        assert kafka.process is not None
        kafka.process.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(20)
        finally:
            kafka.process.send(signal.SIGCONT)
        await trial.recovered("20 s of SIGSTOP of the broker")
        await trial.counted(2_000)
    assert await trial.verdict() == []


async def test_a_worker_cut_off_from_kafka_beyond_its_session(
    stage: Stage, trial: Trial, kafka: ShakenKafka, network: ToxicNetwork
) -> None:
    with network.proxy(kafka.behind_proxy, kafka.proxied) as link:
        lonely, other = stage.start_worker(kafka_bootstrap=kafka.proxied), stage.start_worker()
        async with trial.traffic(seed=33):
            await trial.counted(3_000)
            with link.cut():
                await trial.recovered("one of two workers cut off from Kafka")
                await trial.counted(2_000)

            async def shared() -> bool:
                owned = [await asyncio.to_thread(worker.owned) for worker in (lonely, other)]
                return all(owned) and sorted(owned[0] + owned[1]) == list(range(PARTITIONS))

            trial.note("healed, until both own a share", await trial.until("both own a share", shared))
            await trial.recovered("the network healed")
            await trial.counted(2_000)
        assert await trial.verdict() == []
