import pytest

from service.keys.caller import Caller
from service.keys.errors import RateExceeded
from support.fixtures.keys import Seconds, key_of


def test_a_key_without_rates_may_do_as_much_as_it_likes() -> None:
    caller = Caller(key_of("uac_k", "write"), Seconds())
    for _ in range(1_000):
        caller.begin()
        caller.spend(10_000)


def test_more_requests_than_the_rate_are_refused_and_told_for_how_long() -> None:
    seconds = Seconds()
    caller = Caller(key_of("uac_k", "write", requests_per_second=0.25), seconds)
    caller.begin()
    with pytest.raises(RateExceeded, match=r"the key k sends more than 0\.25 requests a second") as refused:
        caller.begin()
    assert refused.value.seconds == 4
    seconds.now += 4
    caller.begin()


def test_a_batch_passes_whole_and_the_next_request_waits_until_it_is_paid() -> None:
    seconds = Seconds()
    caller = Caller(key_of("uac_k", "write", actions_per_second=100), seconds)
    caller.begin()
    caller.spend(1_000)
    with pytest.raises(RateExceeded, match="100 actions a second") as refused:
        caller.begin()
    seconds.now += refused.value.seconds
    caller.begin()


def test_of_requests_that_began_together_only_the_first_may_publish_beyond_the_rate() -> None:
    caller = Caller(key_of("uac_k", "write", actions_per_second=100), Seconds())
    caller.begin()
    caller.begin()
    caller.spend(1_000)
    with pytest.raises(RateExceeded):
        caller.spend(1)


def test_a_request_that_is_refused_uses_nothing_up() -> None:
    seconds = Seconds()
    caller = Caller(key_of("uac_k", "write", requests_per_second=1, actions_per_second=1), seconds)
    caller.begin()
    caller.spend(3)
    for _ in range(10):
        with pytest.raises(RateExceeded):
            caller.begin()
    seconds.now += 3
    caller.begin()


def test_a_key_whose_other_fields_change_keeps_what_it_used_of_its_rates() -> None:
    seconds = Seconds()
    before = Caller(key_of("uac_k", "write", actions_per_second=1), seconds)
    before.spend(100)
    same = Caller(key_of("uac_k", "write", "backfill", actions_per_second=1), seconds, before)
    with pytest.raises(RateExceeded):
        same.begin()
    Caller(key_of("uac_k", "write", actions_per_second=1_000), seconds, before).begin()
