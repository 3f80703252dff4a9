"""Asking the aggregator for a table, page by page."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus

import httpx

from contract.errors import CollectorError

_SHOWN = 300


class NotAnswered(CollectorError):
    """The aggregator does not answer, or refuses what was asked for."""


def pages(client: httpx.Client, path: str, query: Mapping[str, str]) -> Iterator[httpx.Response]:
    """Each page, in order; the header `Link` leads on. Raises NotAnswered."""
    url = str(httpx.URL(path, params=query))
    while url:
        try:
            page = client.get(url)
        except httpx.HTTPError as error:
            raise NotAnswered(f"{client.base_url} does not answer: {error}") from error
        if page.status_code != HTTPStatus.OK:
            raise NotAnswered(f"{client.base_url}: HTTP {page.status_code}: {_reason(page)}")
        yield page
        url = page.links.get("next", {}).get("url", "")


def _reason(refused: httpx.Response) -> str:
    """A problem's own words, where it is one."""
    try:
        return str(refused.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return refused.text[:_SHOWN]
