"""What an hour's point should say, and whether what stands says so. Pure."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from aggregator.hours.reader import Answer
from contract.hour import HOUR_MS
from contract.log.event_names import BUSINESS_EVENTS, OTHER_EVENTS
from contract.windows.rollup import OTHER_EVENT, Fields, Value

THROUGH: Final = "complete_through"
FINAL: Final = "final"

_MS: Final = timedelta(milliseconds=1)


def fields_of(answer: Answer, events: Collection[str] = BUSINESS_EVENTS) -> Fields:
    """The point for an answer. Where nobody knows how complete it is, it does not say.

    `events` have fields of their own; all others share one: whoever may produce could make up any number of names.
    """
    counts, completeness = answer.totals.counts, answer.completeness
    fields: dict[str, Value] = {
        "clicks": counts.get("click", 0),
        "impressions": counts.get("impression", 0),
        "unique_users": answer.totals.unique_users,
        "actions": sum(counts.values()),
    }
    for event, count in counts.items():
        if event not in BUSINESS_EVENTS:
            name = f"{OTHER_EVENT}{event if event in events else OTHER_EVENTS}"
            fields[name] = fields.get(name, 0) + count
    if completeness.complete_through is not None:
        fields |= {FINAL: completeness.final, THROUGH: completeness.complete_through}
    return fields


def repair(hour: int, should: Fields, stands: Fields, renewal: timedelta) -> Fields | None:
    """What to write so that `stands` says what it should; None if it does.

    All fields are written if any is wrong: what stands may be part of one write and part of another. A count that
    there should not be at all becomes zero, since a field cannot be taken away.
    """
    unfounded = {name: 0 for name, value in stands.items() if name.startswith(OTHER_EVENT) and value}
    wanted = {**unfounded, **should}
    if all(_same(stands.get(name), value) for name, value in wanted.items() if name != THROUGH) and (
        THROUGH not in should or _promises_enough(hour, should, stands.get(THROUGH), renewal)
    ):
        return None
    return wanted


def _same(stands: Value | None, should: Value) -> bool:
    # In Python, 1 is True.
    return type(stands) is type(should) and stands == should


def _promises_enough(hour: int, should: Fields, stands: Value | None, renewal: timedelta) -> bool:
    """Whether what is said to be complete is true, and not too modest: of a final hour, that it is over will do.

    A later instant than ours may be true, as another's; but nobody here knows.
    """
    if stands is None or stands > should[THROUGH]:
        return False
    return stands > hour + HOUR_MS if should[FINAL] else stands > should[THROUGH] - renewal / _MS
