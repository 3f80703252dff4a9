"""Where actions come in: one by a query, many by a body."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from ingest_api.decoding.batch import check_batch
from ingest_api.http.batch_answer import BatchAnswer, batch_answer
from ingest_api.http.intake import Intake
from ingest_api.http.openapi import ACTION_DOCS, BATCH_DOCS
from ingest_api.http.request.batch_options import options_in
from ingest_api.http.request.content_type import is_cloud_event_format, require_accepted
from ingest_api.http.request.form import parameters_of
from ingest_api.http.server.fast_path import Endpoint, sender_of
from ingest_api.http.single_action import SingleAction


async def publish_batch(request: Request, intake: Intake) -> Response:
    """Answers once the log has acknowledged all that is accepted.

    Raises RequestRefused, RateExceeded, NotPublished or OutcomeUnknown.
    """
    sender = sender_of(request)
    options = options_in(request.scope["query_string"])
    require_accepted(request.headers.get("content-type"))
    async with intake.bodies.read(request) as body:
        checked = await check_batch(
            body, intake.max_lines, sender.policy, ignore_unknown=options.ignore_unknown, listed=intake.listed
        )
    taken = await intake.publish(checked, sender, strict=options.strict)
    return batch_answer(taken, checked, intake.bodies.budget)


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
