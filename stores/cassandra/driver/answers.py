"""One answer of Cassandra, page by page: the driver's own threads receive it, the event loop waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from cassandra.cluster import Session  # type: ignore[import-untyped] # the driver has no types

from stores.cassandra.driver.failures import store_error

Row = tuple[Any, ...]
Rows = list[Row]


class _Answer:
    """Pages that are asked for one after another."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._page: asyncio.Future[Rows] = self._loop.create_future()
        response.add_callbacks(self._arrived, self._failed)

    async def first(self) -> Rows:
        return await self._page

    async def next(self) -> Rows | None:
        """The next page; None: that was the last."""
        if not self._response.has_more_pages:
            return None
        self._page = self._loop.create_future()
        self._response.start_fetching_next_page()
        return await self._page

    def _arrived(self, rows: Rows | None) -> None:
        self._hand_over(self._page, list(rows or ()))

    def _failed(self, error: BaseException) -> None:
        self._hand_over(self._page, store_error(error))

    def _hand_over(self, page: "asyncio.Future[Rows]", outcome: Rows | Exception) -> None:
        """From a thread of the driver's to the event loop's."""

        def settle() -> None:
            if page.done():
                return
            if isinstance(outcome, Exception):
                page.set_exception(outcome)
            else:
                page.set_result(outcome)

        # The loop may be over: then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(settle)


async def pages(session: Session, statement: Any) -> AsyncIterator[Rows]:  # noqa: ANN401 - the driver has no types
    """The pages of an answer; at least one, perhaps an empty one. Raises StoreUnavailable or StoreConflict.

    Cancelled, the request goes on, and its answer is thrown away.
    """
    try:
        answer = _Answer(session.execute_async(statement))
    except Exception as error:
        raise store_error(error) from error
    page: Rows | None = await answer.first()
    while page is not None:
        yield page
        page = await answer.next()
