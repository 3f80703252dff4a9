"""Asking the aggregator for a table, page by page."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus

import httpx

from collector.reading.told import NotUnderstood, Told, Trouble, understood
from contract.errors import CollectorError
from contract.shown import printable, shown

_SHOWN = 300


class NotAnswered(CollectorError):
    """The aggregator does not answer, or refuses what was asked for."""


def pages(client: httpx.Client, path: str, query: Mapping[str, str]) -> Iterator[httpx.Response]:
    """Each page, in order; the header `Link` leads on, within the origin that was asked. Raises NotAnswered."""
    url = str(httpx.URL(path, params=query))
    while url:
        try:
            page = client.get(url)
        except httpx.HTTPError as error:
            raise NotAnswered(f"{client.base_url} does not answer: {printable(str(error))}") from error
        if page.status_code != HTTPStatus.OK:
            raise NotAnswered(f"{client.base_url}: HTTP {page.status_code}: {_reason(page)}")
        yield page
        url = _following(page)


def _following(page: httpx.Response) -> str:
    """Where the next page is; empty on the last one. Requests bring the caller's key: none goes to another origin."""
    link = page.links.get("next", {}).get("url", "")
    try:
        leads_away = _origin(page.url.join(link)) != _origin(page.url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NotAnswered(f"{page.url}: its header Link names no address: {shown(link)}") from error
    if leads_away:
        rule = "the next page is asked for where this one was, as requests may bring a key"
        raise NotAnswered(f"{page.url}: its header Link leads to another origin, {shown(link)}: {rule}")
    return link


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def told_in(page: httpx.Response, kind: type[Told]) -> Told:
    """What a page of this kind says, as JSON. Raises NotAnswered."""
    try:
        return understood(page.content, kind)
    except NotUnderstood as error:
        raise _foreign(page, str(error)) from error


def lines_of(page: httpx.Response, media_type: str) -> bytes:
    """The lines of a page of this type. Raises NotAnswered."""
    told = page.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told != media_type:
        raise _foreign(page, f"it is {shown(told)}, not {media_type}")
    return page.content


def _foreign(page: httpx.Response, why: str) -> NotAnswered:
    return NotAnswered(f"{page.url} answers, but not as the aggregator does: {why}; is the address right?")


def _reason(refused: httpx.Response) -> str:
    """A problem's own words, where it is one."""
    try:
        detail = understood(refused.content, Trouble).detail
    except NotUnderstood:
        detail = None
    return printable(refused.text[:_SHOWN] if detail is None else detail)
