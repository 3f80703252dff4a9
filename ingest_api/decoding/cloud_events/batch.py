"""Many CloudEvents, judged in portions."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from contract.action import Action
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.batch import CheckedBatch, Refusal
from ingest_api.decoding.cloud_events.json_format import attributes_in
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper

_PORTION: Final = 100
_PORTION_BYTES: Final = 64 * 1024
"""So many are judged at a time, or so long ones, in about a millisecond; then others have their turn."""


async def check_events(
    texts: Sequence[bytes], mapper: CloudEventMapper, policy: AcceptancePolicy, arrival: int
) -> CheckedBatch:
    """Judges each event, in JSON, by itself; `arrival` as `CloudEventMapper.judge` has it."""
    checked = CheckedBatch([], [])
    for start, portion in _portions(texts):
        judged = mapper.judge([attributes_in(text) for text in portion], policy, arrival)
        for index, one in enumerate(judged, start):
            if isinstance(one, Action):
                checked.accepted.append(one)
            else:
                checked.refused.append(Refusal(index, one))
        await asyncio.sleep(0)
    return checked


def _portions(texts: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Each with the place of its first."""
    start, size = 0, 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if end - start == _PORTION or size >= _PORTION_BYTES or end == len(texts):
            yield start, texts[start:end]
            start, size = end, 0
