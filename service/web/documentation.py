"""`/docs`: Swagger UI, whose files come from a package, so that the page loads nothing from elsewhere."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Final, NamedTuple

from fastapi import APIRouter, HTTPException, Response, status

FOLDER: Final = "/docs/files"
"""The address of what the page loads."""

HEADERS: Final[Mapping[str, str]] = {
    # Swagger UI sets styles by attributes, and has images in its style sheet.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with the page."""

_PACKAGE: Final = "fastapi_offline"
_HTML: Final = "text/html"
_MEDIA_TYPES: Final = {
    "favicon.png": "image/png",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
PATHS: Final = frozenset(("/docs", *(f"{FOLDER}/{name}" for name in _MEDIA_TYPES)))
"""All that is served here: it may be known to everybody."""

_START: Final = b"""\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/files/favicon.png">
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script>
<script src="/docs/files/start.js"></script>
</body>
</html>
"""


class LoadedFile(NamedTuple):
    """What the page loads."""

    content: bytes
    media_type: str


def page_titled(title: str) -> bytes:
    """The page, of the document at `/openapi.json`."""
    return _PAGE.format(title=escape(title)).encode()


def loaded_files() -> dict[str, LoadedFile]:
    """By the last part of their address."""
    return {
        name: LoadedFile(_START if name == "start.js" else _from_package(name), media_type)
        for name, media_type in _MEDIA_TYPES.items()
    }


def documentation(title: str) -> APIRouter:
    """The routes of the page; the app's own, which load scripts of others, are to be switched off."""
    router = APIRouter(include_in_schema=False)
    found: dict[str, LoadedFile] = {}

    @router.get("/docs")
    async def page() -> Response:
        return Response(page_titled(title), headers=dict(HEADERS), media_type=_HTML)

    @router.get(FOLDER + "/{name}")
    async def file(name: str) -> Response:
        if not found:
            # Two MB: only where somebody looks.
            found.update(loaded_files())
        if name not in found:
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        return Response(found[name].content, headers=dict(HEADERS), media_type=found[name].media_type)

    return router


def _from_package(name: str) -> bytes:
    return (files(_PACKAGE) / "static" / name).read_bytes()
