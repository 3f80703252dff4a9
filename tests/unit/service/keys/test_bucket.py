from random import Random

import pytest

from service.keys.bucket import TokenBucket


def test_a_second_s_worth_passes_at_once_and_then_one_each_time_it_is_due() -> None:
    bucket = TokenBucket(10.0, 0.0)
    for _ in range(10):
        assert bucket.seconds_until_free(0.0) == 0
        bucket.spend(1)
    assert bucket.seconds_until_free(0.0) == pytest.approx(0.1)
    assert bucket.seconds_until_free(0.1) == pytest.approx(0)


def test_a_rate_below_one_a_second_lets_one_pass_at_once() -> None:
    bucket = TokenBucket(0.1, 0.0)
    assert bucket.seconds_until_free(0.0) == 0
    bucket.spend(1)
    assert bucket.seconds_until_free(0.0) == pytest.approx(10)


def test_a_batch_of_any_size_passes_and_is_paid_for_later() -> None:
    bucket = TokenBucket(10.0, 0.0)
    bucket.spend(1_000)
    assert bucket.seconds_until_free(0.0) == pytest.approx(99.1)


def test_what_is_not_used_is_not_saved_for_later() -> None:
    bucket = TokenBucket(10.0, 0.0)
    assert bucket.seconds_until_free(1_000.0) == 0
    bucket.spend(10)
    assert bucket.seconds_until_free(1_000.0) > 0


@pytest.mark.parametrize("seed", range(20))
def test_over_time_no_more_passes_than_the_rate_a_second_s_worth_and_one_batch(seed: int) -> None:
    random, rate, largest, now, spent = Random(seed), 50.0, 200, 0.0, 0
    bucket = TokenBucket(rate, now)
    for _ in range(2_000):
        now += random.random() * 0.2
        if bucket.seconds_until_free(now) == 0:
            size = random.randint(1, largest)
            bucket.spend(size)
            spent += size
            assert spent <= rate * now + rate + largest
    assert spent >= rate * now - largest
