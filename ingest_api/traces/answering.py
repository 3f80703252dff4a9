"""Requests that are answered with a span around them, on both of their fast paths."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from ingest_api.http.server.fast_path import FastPathApp
from ingest_api.senders import SINGLE_PATH
from ingest_api.traces.requests import REQUEST_SPAN, RequestTraces, end_answered, end_failed
from service.keys.presented import Headers

Answer = Callable[[Response], None]
Submit = Callable[[bytes, Headers, Answer], None]
"""As SingleAction.submit."""

_NO_ANSWER: Final = "no_answer"


def traced_submit(submit: Submit, traces: RequestTraces) -> Submit:
    """Stands in place of `submit`: for a request that is not recorded it draws a number, and calls it."""

    def submit_traced(query: bytes, headers: Headers, answer: Answer) -> None:
        span = traces.begin(headers, "POST", SINGLE_PATH)
        if span is None:
            # An earlier request of the connection may have left its own; setting takes ten times as long as looking.
            if REQUEST_SPAN.get() is not None:
                REQUEST_SPAN.set(None)
            submit(query, headers, answer)
            return
        REQUEST_SPAN.set(span)

        def answer_and_end(response: Response) -> None:
            end_answered(span, response.status_code)
            answer(response)

        submit(query, headers, answer_and_end)

    return submit_traced


class TracedApp(FastPathApp):
    """The app, with a span around each request for one of its fast paths that is recorded."""

    def __init__(self, traces: RequestTraces, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(**options)
        self._traces = traces

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        takes_actions = scope["type"] == "http" and scope["path"] in self._fast_paths.get(scope["method"], ())
        span = self._traces.begin(scope["headers"], scope["method"], scope["path"]) if takes_actions else None
        REQUEST_SPAN.set(span)
        if span is None:
            await super()._answer(scope, receive, send)
            return
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
                end_failed(span, _NO_ANSWER)
            else:
                end_answered(span, status)
