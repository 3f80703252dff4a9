"""How many requests it takes to read the segments of many hours."""

import pytest

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.windows.window_value import WindowValue
from stores.influx.store import InfluxStore
from support.fixtures.influx_stub import answer, influx_stub

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
NOW = 494_902 * HOUR_MS
ONE_STATEMENT = answer(200, '{"results":[{"statement_id":0}]}\n')
FIFTY_STATEMENTS = answer(200, "".join(f'{{"results":[{{"statement_id":{number}}}]}}\n' for number in range(50)))


@pytest.mark.parametrize("apart", [1, 30, 128])
async def test_quiet_hours_that_lie_near_each_other_are_read_by_one_query(apart: int) -> None:
    hours = [NOW - number * apart * HOUR_MS for number in range(300)]
    async with influx_stub(ONE_STATEMENT) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        found = await store.read_segments_of_hours(SOURCE, dict.fromkeys(hours, WindowValue(4, {"click": 1}, 0, 1)))
        await store.close()

    assert found == {hour: [] for hour in hours}
    assert len(stub.requests) == 1


async def test_hours_that_lie_far_apart_share_requests() -> None:
    hours = [NOW - number * 1_000 * HOUR_MS for number in range(100)]
    async with influx_stub(FIFTY_STATEMENTS, FIFTY_STATEMENTS) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        await store.read_segments_of_hours(SOURCE, dict.fromkeys(hours, WindowValue(4, {"click": 1}, 0, 1)))
        await store.close()

    assert len(stub.requests) == 2
