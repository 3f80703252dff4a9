"""Where actions come in: one by a query, many by a body."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ingest_api.decoding.batch import CheckedBatch, check_batch
from ingest_api.http.intake import Intake, Taken
from ingest_api.http.openapi import ACTION_DOCS, BATCH_DOCS
from ingest_api.http.position import position_headers
from ingest_api.http.request.batch_options import options_in
from ingest_api.http.request.content_type import is_cloud_event_format, require_accepted
from ingest_api.http.request.form import parameters_of
from ingest_api.http.server.fast_path import Endpoint, sender_of
from ingest_api.http.single_action import SingleAction


class Rejected(BaseModel):
    """A line or element that is no action."""

    index: int = Field(ge=0, description="The line's number, or the element's place in the array, from 0.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(description="The field that breaks a rule; null where it is the line as a whole.")
    message: str = Field(description="One line for people: the field, its value (cut) and the rule.")


class BatchAnswer(BaseModel):
    """What became of a batch."""

    accepted: int = Field(ge=0, description="Actions that the log has acknowledged.")
    rejected: list[Rejected] = Field(description="What broke a rule. It is refused each time it is sent.")


async def publish_batch(request: Request, intake: Intake) -> Response:
    """Answers once the log has acknowledged all that is accepted.

    Raises RequestRefused, RateExceeded, NotPublished or OutcomeUnknown.
    """
    sender = sender_of(request)
    options = options_in(request.scope["query_string"])
    require_accepted(request.headers.get("content-type"))
    async with intake.bodies.read(request) as body:
        checked = await check_batch(body, intake.max_lines, sender.policy, ignore_unknown=options.ignore_unknown)
    return batch_answer(await intake.publish(checked, sender, strict=options.strict), checked)


def routes(single: SingleAction, intake: Intake, take_cloud_events: Endpoint) -> APIRouter:
    """The routes that take actions."""
    router = APIRouter(tags=["actions"])

    @router.post("/analytics", status_code=HTTPStatus.NO_CONTENT, response_class=Response, **ACTION_DOCS)
    async def analytics(request: Request) -> Response:
        sender = sender_of(request)
        return await single.publish(await parameters_of(request, intake.bodies), sender)

    @router.post("/v1/actions", response_model=BatchAnswer, **BATCH_DOCS)
    async def actions(request: Request) -> Response:
        if is_cloud_event_format(request.headers.get("content-type")):
            return await take_cloud_events(request)
        return await publish_batch(request, intake)

    return router


def batch_answer(taken: Taken, checked: CheckedBatch) -> Response:
    """What became of a batch.

    Shippers take 200 for delivered: where something was refused and nothing came in, it is 422.
    """
    rejected = [
        Rejected(index=line, code=rejection.code, field=rejection.field, message=rejection.message)
        for line, rejection in checked.refused
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if rejected and not taken.actions else HTTPStatus.OK
    answer = BatchAnswer(accepted=taken.actions, rejected=rejected)
    headers = position_headers(taken.position)
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")
