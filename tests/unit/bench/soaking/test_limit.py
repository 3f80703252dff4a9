import pytest

from bench.case import WrongResult
from bench.soaking.limit import PRECISION, highest


@pytest.mark.parametrize("limit", [111_000.0, 181_000.0, 257_000.0, 399_000.0])
async def test_the_highest_rate_that_holds_is_found(limit: float) -> None:
    tried: list[float] = []

    async def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= limit

    found = await highest(holds, 100_000, 400_000)
    assert found in tried
    assert found <= limit < found * PRECISION
    assert len(tried) <= 6


async def test_where_no_rate_holds_none_is_told() -> None:
    async def holds(_rate: float) -> bool:
        return False

    with pytest.raises(WrongResult, match="no rate above 100,000 actions/s held"):
        await highest(holds, 100_000, 400_000)
