"""CloudEvents over HTTP, in each of its content modes: structured, batched and binary."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response

from contract.log.action import Action
from ingest_api.decoding.batch import split_array, text_of
from ingest_api.decoding.checked import CheckedBatch
from ingest_api.decoding.cloud_events.batch import check_events
from ingest_api.decoding.cloud_events.http_headers import attributes_in, is_cloud_event
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper
from ingest_api.errors import RequestRefused
from ingest_api.http.batch_answer import batch_answer
from ingest_api.http.intake import Intake
from ingest_api.http.position import ActionTaken
from ingest_api.http.request.batch_options import options_in
from ingest_api.http.request.content_type import (
    CLOUD_EVENT,
    CLOUD_EVENTS,
    is_cloud_event_format,
    require_cloud_event_format,
    unsupported,
)
from ingest_api.http.sdks.cloud_events_openapi import EVENTS_DOCS
from ingest_api.http.server.fast_path import sender_of
from ingest_api.senders import Sender
from service.clock import Clock

_COMMAS_PER_EVENT: Final = 32
_COMMAS: Final = 320_000
"""At most so many elements are split before they are counted; or more, where settings allow more events."""


@dataclass(frozen=True, slots=True)
class CloudEvents:
    """Takes one event, or a batch of them."""

    intake: Intake
    mapper: CloudEventMapper
    clock: Clock

    async def take(self, request: Request) -> Response:
        """Answers once the log has acknowledged all that is accepted.

        An event that stands alone is answered like an action that does, a batch like a batch of actions. Raises
        RequestRefused, RateExceeded, NotPublished or OutcomeUnknown.
        """
        sender = sender_of(request)
        options = options_in(request.scope["query_string"])
        content_type = request.headers.get("content-type")
        if content_type is None or not is_cloud_event_format(content_type):
            return await self._answer_single(await self._check_binary(request, sender), sender)
        require_cloud_event_format(content_type)
        async with self.intake.bodies.read(request) as body:
            text = text_of(body)
            is_array = text.lstrip()[:1] == b"["
            texts: Iterable[bytes] = self._split(text) if is_array else [text]
            checked = await check_events(texts, self.mapper, sender.policy, self.clock(), self.intake.listed)
        if is_array or _is_batch(content_type):
            taken = await self.intake.publish(checked, sender, strict=options.strict)
            return batch_answer(taken, checked, self.intake.bodies.budget)
        return await self._answer_single(checked, sender)

    async def _check_binary(self, request: Request, sender: Sender) -> CheckedBatch:
        headers = request.headers.raw
        if not is_cloud_event(headers):
            raise unsupported(
                f"this is no CloudEvent: Content-Type is neither {CLOUD_EVENT} nor {CLOUD_EVENTS}, and there is no "
                "header ce-specversion"
            )
        await self.intake.bodies.pass_over(request)
        (judged,) = self.mapper.judge([attributes_in(headers)], sender.policy, self.clock())
        if isinstance(judged, Action):
            return CheckedBatch([judged])
        checked = CheckedBatch()
        checked.refuse(0, judged)
        return checked

    def _split(self, text: bytes) -> Iterator[bytes]:
        events = self.intake.max_lines
        return split_array(text, events, max(_COMMAS, _COMMAS_PER_EVENT * events))

    async def _answer_single(self, checked: CheckedBatch, sender: Sender) -> Response:
        taken = await self.intake.publish(checked, sender)
        for _, rejection in checked.refused:
            detail = rejection.message if rejection.field else f"body {rejection.value}: {rejection.rule}"
            raise RequestRefused(HTTPStatus.BAD_REQUEST, rejection.code, detail, rejection=rejection)
        return ActionTaken(taken.position)


def cloud_event_routes(cloud_events: CloudEvents) -> APIRouter:
    """The route that takes CloudEvents."""
    router = APIRouter(tags=["sdks"])

    @router.post("/v1/events", **EVENTS_DOCS)
    async def events(request: Request) -> Response:
        return await cloud_events.take(request)

    return router


def _is_batch(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == CLOUD_EVENTS
