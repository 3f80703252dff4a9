"""Requests that are answered with a span around them, on both of their fast paths."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from ingest_api.http.server.fast_path import FastPathApp
from ingest_api.senders import SINGLE_PATH
from ingest_api.traces.requests import CALLER, REQUEST_SPAN, RequestTraces, end_answered
from service.keys.presented import Headers
from service.traces.span import Span

Answer = Callable[[Response], None]
Submit = Callable[[bytes, Headers, Answer], None]
"""As SingleAction.submit."""

_NO_ANSWER: Final = "no_answer"


def traced_submit(submit: Submit, traces: RequestTraces) -> Submit:
    """Stands in place of `submit`: for a request that is not recorded it draws a number, and calls it."""
    draw, ratio, begin, begin_root = traces.draw, traces.ratio, traces.begin, traces.begin_root

    def submit_traced(query: bytes, headers: Headers, answer: Answer) -> None:
        # `begin`, inlined: the call alone would double what this costs, and most requests come to no more.
        for name, _ in headers:
            if name == CALLER:
                span = begin(headers, "POST", SINGLE_PATH)
                break
        else:
            span = begin_root("POST", SINGLE_PATH) if draw() < ratio else None
        if span is None:
            submit(query, headers, answer)
        else:
            _submit_recorded(submit, query, headers, answer, span)

    return submit_traced


def _submit_recorded(submit: Submit, query: bytes, headers: Headers, answer: Answer, span: Span) -> None:
    def answer_and_end(response: Response) -> None:
        end_answered(span, response.status_code)
        answer(response)

    # Later requests of the connection have the same context, and are not to look whether this one left its span.
    token = REQUEST_SPAN.set(span)
    submit(query, headers, answer_and_end)
    REQUEST_SPAN.reset(token)


class TracedApp(FastPathApp):
    """The app, with a span around each request for one of its fast paths that is recorded."""

    def __init__(self, traces: RequestTraces, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(**options)
        self._traces = traces

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        takes_actions = scope["type"] == "http" and scope["path"] in self._fast_paths.get(scope["method"], ())
        span = self._traces.begin(scope["headers"], scope["method"], scope["path"]) if takes_actions else None
        # Set also where there is none: one that is taken up while another is answered has that one's context.
        token = REQUEST_SPAN.set(span)
        try:
            if span is None:
                await super()._answer(scope, receive, send)
            else:
                await self._answer_recorded(span, scope, receive, send)
        finally:
            REQUEST_SPAN.reset(token)

    async def _answer_recorded(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        status: int | None = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await super()._answer(scope, receive, send_and_note)
        finally:
            if status is None:
                span.end(_NO_ANSWER)
            else:
                end_answered(span, status)
