"""Many CloudEvents, judged in portions."""

import asyncio
from collections.abc import Iterable
from typing import Final

from contract.log.action import Action
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.checked import LISTED, CheckedBatch
from ingest_api.decoding.cloud_events.json_format import attributes_in
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper
from ingest_api.decoding.portions import portions

_PORTION: Final = 100
_PORTION_BYTES: Final = 64 * 1024
"""So many are judged at a time, or so long ones, in about a millisecond; then others have their turn."""


async def check_events(
    texts: Iterable[bytes], mapper: CloudEventMapper, policy: AcceptancePolicy, arrival: int, listed: int = LISTED
) -> CheckedBatch:
    """Judges each event, in JSON, by itself, and lists the first `listed` that are refused.

    `arrival` as `CloudEventMapper.judge` has it.
    """
    checked = CheckedBatch(listed=listed)
    for start, portion in portions(texts, _PORTION, _PORTION_BYTES):
        judged = mapper.judge([attributes_in(text) for text in portion], policy, arrival)
        for index, one in enumerate(judged, start):
            if isinstance(one, Action):
                checked.accepted.append(one)
            else:
                checked.refuse(index, one)
        await asyncio.sleep(0)
    return checked
