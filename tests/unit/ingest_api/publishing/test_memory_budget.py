import pytest

from ingest_api.errors import NotPublished
from ingest_api.publishing.memory_budget import MemoryBudget


def test_as_much_as_the_limit_can_be_taken_and_no_byte_more() -> None:
    budget = MemoryBudget(10, "lines")
    budget.reserve(10)
    with pytest.raises(NotPublished, match="10 bytes of lines are in use of at most 10"):
        budget.reserve(1)
    assert budget.used == 10


def test_what_is_given_back_can_be_taken_again() -> None:
    budget = MemoryBudget(10, "lines")
    budget.reserve(10)
    budget.release(4)
    budget.reserve(4)
    assert budget.used == 10


def test_a_holder_gives_back_all_it_took_whatever_happens() -> None:
    budget = MemoryBudget(10, "bodies")

    def take_too_much() -> None:
        with budget.reservation() as reservation:
            reservation.reserve(6)
            reservation.reserve(6)

    with pytest.raises(NotPublished):
        take_too_much()
    assert budget.used == 0


def test_no_client_takes_more_than_its_share_and_others_get_theirs() -> None:
    budget = MemoryBudget(10, "bodies", of_one=6)
    with budget.reservation("a") as first, budget.reservation("a") as second, budget.reservation("b") as other:
        first.reserve(4)
        second.reserve(2)
        with pytest.raises(NotPublished, match="6 bytes of bodies of one client are in use of at most 6"):
            second.reserve(1)
        other.reserve(4)
    assert budget.used == 0
    with budget.reservation("a") as again:
        again.reserve(6)


def test_a_reservation_grows_to_a_size_and_never_shrinks() -> None:
    budget = MemoryBudget(10, "bodies")
    with budget.reservation() as reservation:
        for size, reserved in ((3, 3), (2, 3), (7, 7)):
            reservation.grow_to(size)
            assert budget.used == reserved
