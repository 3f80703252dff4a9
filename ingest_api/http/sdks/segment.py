"""Segment's protocol: what its SDKs, and RudderStack's, send on servers and in browsers."""

from collections.abc import Sequence
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ingest_api.decoding.checked import Refusal
from ingest_api.decoding.segment.event_rules import CALL_TYPES, EventRules
from ingest_api.decoding.segment.mapper import CallReader
from ingest_api.http.intake import Intake
from ingest_api.http.rejected_header import rejected_header
from ingest_api.http.sdks.segment_openapi import CALL_DOCS, CALLS_DOCS
from ingest_api.http.server.fast_path import Endpoint, sender_of
from service.clock import Clock

_BATCH_PATHS: Final = ("/v1/batch", "/v1/b", "/v1/import", "/v1/import/", "/beacon/v1/batch")
"""Segment's SDK for Java ends its path in a slash; no other path of ours does."""
_SINGLE_PATHS: Final = {f"/v1/{name}": call_type for call_type in CALL_TYPES for name in (call_type, call_type[0])}
"""With the type of the one call."""

SEGMENT_PATHS: Final = frozenset((*_BATCH_PATHS, *_SINGLE_PATHS))
"""What SDKs put behind the address that they are given."""


class Success(BaseModel):
    """What SDKs take for delivered."""

    success: Literal[True] = True


_SUCCESS: Final = Success().model_dump_json()
"""With 200: some SDKs send again on 202 and 204."""


def segment_routes(rules: EventRules, intake: Intake, clock: Clock) -> APIRouter:
    """The routes of the protocol; `rules` say which calls are which events.

    By `clock`, a call without any time happens when it arrives.
    """
    router = APIRouter(tags=["sdks"])

    def takes(call_type: str | None) -> Endpoint:
        async def take(request: Request) -> Response:
            sender = sender_of(request)
            reader = CallReader(rules, sender.policy, intake.max_lines)
            async with intake.bodies.read(request) as body:
                calls = await reader.read(body, call_type, clock())
            for unmapped, times in calls.unmapped.items():
                intake.metrics.unmapped.labels(unmapped).inc(times)
            await intake.publish(calls.events, sender)
            return _answer(calls.events.refused)

        return take

    for path in _BATCH_PATHS:
        documented = not path.endswith("/")
        router.add_api_route(
            path, takes(None), methods=["POST"], response_model=Success, include_in_schema=documented, **CALLS_DOCS
        )
    for path, call_type in _SINGLE_PATHS.items():
        docs = {"summary": f"One {call_type} call of an SDK", **CALL_DOCS}
        router.add_api_route(path, takes(call_type), methods=["POST"], response_model=Success, **docs)
    return router


def _answer(refused: Sequence[Refusal]) -> Response:
    """SDKs could do nothing about what was refused; people who look for the reason find the first in a header."""
    headers = rejected_header(refused[0].rejection.code, refused[0].rejection.message) if refused else {}
    return Response(_SUCCESS, headers=headers, media_type="application/json")
