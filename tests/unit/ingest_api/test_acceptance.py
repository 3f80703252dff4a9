import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import Action, Rejection, parse_line, reject
from ingest_api.acceptance import AcceptancePolicy

NOW = 1_800_000_000_000
HOUR = 3_600_000
YEAR_1990 = 631_152_000_000


def policy(clock: int = NOW, oldest: int = 1000) -> AcceptancePolicy:
    return AcceptancePolicy(("click", "impression"), oldest, tolerance=timedelta(hours=1), clock=lambda: clock)


def check(action: Action) -> Action | Rejection:
    (checked,) = policy().check([action])
    return checked


@pytest.mark.parametrize("timestamp", [1000, 1001, NOW, NOW + HOUR])
@pytest.mark.parametrize("event", ["click", "impression"])
def test_an_action_within_the_policy_comes_in(timestamp: int, event: str) -> None:
    action = Action(timestamp, "u", event)
    assert check(action) == action


@pytest.mark.parametrize(
    ("action", "code", "field", "value", "rule"),
    [
        (
            Action(999, "u", "click"),
            "timestamp_too_old",
            "timestamp",
            "999",
            "timestamp is 1970-01-01T00:00:01Z (1000) or later",
        ),
        (
            Action(NOW + HOUR + 1, "u", "click"),
            "timestamp_in_future",
            "timestamp",
            "1800003600001",
            "timestamp is at most 3600000 ms ahead of the server's clock",
        ),
        (Action(NOW, "u", "share"), "event_unknown", "event", '"share"', "event is one of click, impression"),
    ],
)
def test_an_action_beyond_the_policy_is_refused_with_the_evidence(
    action: Action, code: str, field: str, value: str, rule: str
) -> None:
    assert check(action) == Rejection(code, field, value, rule)


@pytest.mark.parametrize(
    ("timestamp", "unit"),
    [
        (NOW // 1000, "seconds"),
        (631_152_000, "seconds"),
        (NOW * 1000, "microseconds"),
        (NOW * 1_000_000, "nanoseconds"),
        (NOW / 1000 + 0.25, "seconds"),
        (631_151_999, None),
        (NOW + 2 * HOUR, None),
        (10**30, None),
    ],
)
def test_a_refused_timestamp_is_told_which_unit_it_looks_like(timestamp: float, unit: str | None) -> None:
    judged = parse_line(json.dumps({"timestamp": timestamp, "user": "u", "event": "click"}).encode())
    (refused,) = policy(oldest=YEAR_1990).check([judged])
    assert isinstance(refused, Rejection)
    assert refused.hint == (unit and f"it looks like {unit}, not milliseconds")
    assert refused.message.endswith(f"; {refused.hint}" if unit else refused.rule)


def test_an_age_moves_with_the_clock() -> None:
    day = 24 * HOUR
    clock = iter(range(NOW, NOW + 100))
    moving = AcceptancePolicy(("click",), timedelta(days=1), timedelta(0), lambda: next(clock))
    edge = [Action(NOW - day, "u", "click")]
    assert moving.accepts_all(edge)
    assert not moving.accepts_all(edge)
    ((refused,), (taken,)) = moving.check(edge), moving.check([Action(NOW - day + 3, "u", "click")])
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.rule) == ("timestamp_too_old", "timestamp is at most P1D before the server's clock")
    assert isinstance(taken, Action)


@pytest.mark.parametrize("timestamp", [1000, NOW + HOUR])
def test_a_timestamp_at_the_edge_is_not_blamed_for_an_unknown_event(timestamp: int) -> None:
    checked = check(Action(timestamp, "u", "share"))
    assert isinstance(checked, Rejection)
    assert checked.code == "event_unknown"


def test_what_the_log_s_rules_rejected_stays_rejected_and_in_its_slot() -> None:
    good, rejected = Action(NOW, "u", "click"), reject("not_json", None, b"?")
    assert policy().check([good, rejected, good]) == [good, rejected, good]


def test_the_clock_is_looked_at_for_each_request() -> None:
    times = iter([NOW, NOW + 1])
    moving = AcceptancePolicy(("click",), 0, timedelta(0), lambda: next(times))
    early = Action(NOW + 1, "u", "click")
    assert [type(item) for item in moving.check([early]) + moving.check([early])] == [Rejection, Action]


@given(
    st.lists(
        st.just(reject("not_json", None, b"?"))
        | st.builds(
            Action,
            timestamp=st.sampled_from([999, 1000, NOW, NOW + HOUR, NOW + HOUR + 1]),
            user=st.just("u"),
            event=st.sampled_from(["click", "impression", "share"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_all_are_accepted_at_once_exactly_where_each_by_itself_is(parsed: list[Action | Rejection]) -> None:
    assert policy().accepts_all(parsed) == all(isinstance(item, Action) for item in policy().check(parsed))
