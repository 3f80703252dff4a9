"""How many hours a request's actions lie in: each is a window that must be kept, however few its actions are."""

from collections.abc import Sequence
from http import HTTPStatus

from contract.hour import HOUR_MS
from contract.log.action import Action
from ingest_api.errors import RequestRefused


def require_few_hours(actions: Sequence[Action], at_most: int) -> None:
    """Raises RequestRefused (413) for actions that lie in more hours.

    Fewer actions than that are not looked at; of others the hours are told apart only where first and last are far
    from each other: 0.03 us an action instead of 0.05.
    """
    if len(actions) <= at_most:
        return
    timestamps = [action.timestamp for action in actions]
    if max(timestamps) // HOUR_MS - min(timestamps) // HOUR_MS < at_most:
        return
    hours = len({timestamp // HOUR_MS for timestamp in timestamps})
    if hours > at_most:
        detail = f"the batch has actions of {hours} different hours; at most {at_most} are accepted: send fewer at once"
        raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_hours", detail)
