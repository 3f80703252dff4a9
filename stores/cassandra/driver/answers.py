"""One answer of Cassandra, page by page: the driver's own threads receive it, the event loop waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

from cassandra.cluster import Session  # type: ignore[import-untyped] # the driver has no types

from stores.cassandra.driver.failures import store_error

Row = tuple[Any, ...]
Rows = list[Row]


class _Page(NamedTuple):
    """Some rows, and where the next ones begin; None: these are the last."""

    rows: Rows
    next: bytes | None


async def pages(session: Session, statement: Any) -> AsyncIterator[Rows]:  # noqa: ANN401 - the driver has no types
    """The pages of an answer; at least one, perhaps an empty one. Raises StoreUnavailable or StoreConflict.

    Each page is a request of its own. A request that was sent to several nodes may be answered by each of them: what
    comes after the first answer must not be taken for the next page. Cancelled, a request goes on, and its answer is
    thrown away.
    """
    page = await _page(session, statement, None)
    yield page.rows
    while page.next:
        page = await _page(session, statement, page.next)
        yield page.rows


async def _page(session: Session, statement: Any, start: bytes | None) -> _Page:  # noqa: ANN401 - as above
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[_Page] = loop.create_future()

    def hand_over(outcome: _Page | Exception) -> None:
        """From a thread of the driver's to the event loop's; the loop may be over: then nobody waits any more."""
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, arrived, outcome)

    try:
        response = session.execute_async(statement, paging_state=start)
    except Exception as error:
        raise store_error(error) from error
    response.add_callbacks(
        lambda rows: hand_over(_Page(list(rows or ()), response._paging_state)),  # noqa: SLF001 # it has no public name
        lambda error: hand_over(store_error(error)),
    )
    return await arrived


def _settle(arrived: "asyncio.Future[_Page]", outcome: _Page | Exception) -> None:
    if arrived.done():
        return
    if isinstance(outcome, Exception):
        arrived.set_exception(outcome)
    else:
        arrived.set_result(outcome)
