import asyncio
from collections.abc import Awaitable, Iterator

import pytest

from contract.errors import StoreConflict, StoreUnavailable
from stores.side_by_side import side_by_side


async def test_results_come_in_the_requests_order_whichever_is_answered_first() -> None:
    last_answered = asyncio.Event()

    async def first() -> int:
        await last_answered.wait()
        return 1

    async def last() -> int:
        last_answered.set()
        return 2

    assert await side_by_side((request() for request in (first, last)), 2) == [1, 2]
    assert await side_by_side([], 5) == []


async def test_no_more_requests_are_under_way_than_the_limit_and_none_is_made_before_its_turn() -> None:
    made = under_way = most = 0

    async def request() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        assert made - under_way <= 20
        await asyncio.sleep(0)
        under_way -= 1

    def requests() -> Iterator[Awaitable[None]]:
        nonlocal made
        for _ in range(20):
            made += 1
            assert made - 1 < 20
            assert under_way < 3
            yield request()

    await side_by_side(requests(), 3)
    assert (made, most) == (20, 3)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_several_failures_the_one_that_no_retry_can_mend_is_raised(order: tuple[int, int]) -> None:
    both_asked = asyncio.Barrier(2)
    errors = [StoreUnavailable("away"), StoreConflict("never")]

    async def fail(error: Exception) -> None:
        await both_asked.wait()
        raise error

    with pytest.raises(StoreConflict, match="never"):
        await side_by_side((fail(errors[number]) for number in order), 2)
