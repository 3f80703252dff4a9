"""What a key allows; whatever the API refuses without keys is refused with every key but a backfill's old actions."""

from datetime import timedelta
from typing import Any

import pytest

from contract.hour import HOUR_MS
from contract.log.action import Action, Rejection
from ingest_api.acceptance import Acceptance
from ingest_api.key_policy import KeyPolicy
from support.fixtures.keys import key_of

NOW = 1_800_000_000_000
OLDEST = NOW - 7 * 24 * HOUR_MS
ACCEPTANCE = Acceptance(("click", "impression", "share"), OLDEST, timedelta(hours=1))


def policy(*scopes: str, **more: Any) -> KeyPolicy:  # noqa: ANN401 - fields are of many types
    return KeyPolicy(ACCEPTANCE, key_of("uac_k", *(scopes or ("write",)), **more), lambda: NOW)


def action(event: str = "click", timestamp: int = NOW) -> Action:
    return Action(timestamp, "u", event)


def codes(policy: KeyPolicy, *actions: Action) -> list[str | None]:
    """Of each action, None where it is accepted; both ways to ask agree."""
    checked = policy.check(actions)
    return [one.code if isinstance(one, Rejection) else None for one in checked]


def message(policy: KeyPolicy, one: Action) -> str:
    (checked,) = policy.check([one])
    assert isinstance(checked, Rejection)
    return checked.message


def test_a_key_without_limits_accepts_what_the_api_does() -> None:
    actions = [action(), action("share"), action(timestamp=OLDEST), action(timestamp=NOW + HOUR_MS)]
    assert policy().accepts_all(actions)
    assert codes(policy(), *actions, action("other"), action(timestamp=NOW + HOUR_MS + 1)) == [
        *[None] * 4,
        "event_unknown",
        "timestamp_in_future",
    ]


def test_an_old_action_needs_the_scope_backfill_and_its_rejection_says_so() -> None:
    old = action(timestamp=OLDEST - 1)
    assert not policy().accepts_all([action(), old])
    assert codes(policy(), action(), old) == [None, "timestamp_too_old"]
    assert message(policy(), old).endswith("; a key with the scope backfill may send older ones")


def test_with_the_scope_backfill_no_action_is_too_old() -> None:
    backfill = policy("write", "backfill")
    assert backfill.accepts_all([action(timestamp=0), action(timestamp=OLDEST - 1)])
    assert codes(backfill, action(timestamp=0), action(timestamp=NOW + 2 * HOUR_MS)) == [None, "timestamp_in_future"]


def test_a_key_sends_its_events_only() -> None:
    shares = policy(events=("share", "click"))
    assert shares.accepts_all([action("share"), action("click")])
    assert not shares.accepts_all([action("share"), action("impression")])
    assert codes(shares, action("share"), action("impression"), action("other")) == [
        None,
        "event_not_allowed",
        "event_unknown",
    ]
    assert message(shares, action("impression")) == (
        'event "impression": event is one of share, click, which are all that the key k may send'
    )


def test_an_event_of_a_key_that_the_api_does_not_accept_stays_unknown() -> None:
    assert codes(policy(events=("other",)), action("other")) == ["event_unknown"]


@pytest.mark.parametrize("as_batch", [True, False])
def test_a_key_touches_so_many_distinct_hours_and_the_actions_of_others_are_rejected(as_batch: bool) -> None:  # noqa: FBT001 - two ways
    bounded = policy(hours=3)
    hours = [action(timestamp=NOW - back * HOUR_MS) for back in range(5)]
    if as_batch:
        assert bounded.accepts_all(hours[:2])
        assert not bounded.accepts_all(hours)
    assert codes(bounded, *hours, *hours) == [None, None, None, "hours_exceeded", "hours_exceeded"] * 2
    assert bounded.accepts_all(hours[:3])
    assert "one of 3 distinct hours" in message(bounded, hours[3])


def test_an_action_that_is_rejected_for_another_reason_touches_no_hour() -> None:
    bounded = policy(hours=1, events=("click",))
    assert codes(bounded, action("share", NOW - HOUR_MS), action("other", NOW - HOUR_MS), action()) == [
        "event_not_allowed",
        "event_unknown",
        None,
    ]
