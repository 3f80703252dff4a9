"""The page for people at `/`: files of this package, of which nothing is made while they are served."""

from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, HTTPException, Request, Response
from xxhash import xxh3_128_hexdigest

PAGE: Final = Path(__file__).parents[1] / "page"

_INDEX: Final = "index.html"
_METHODS: Final = ["GET", "HEAD"]
_VERSION: Final = b"{version}"
"""What stands in the page for the name of all its files' bytes: a file's address changes when any file does."""
_KEPT: Final = "public, max-age=31536000, immutable"
_ASKED_AGAIN: Final = "no-cache"
_NOT_KEPT: Final = "no-store"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_OTHER: Final = "text/plain; charset=utf-8"


class _File(NamedTuple):
    body: bytes
    media_type: str

    @property
    def tag(self) -> str:
        return f'"{xxh3_128_hexdigest(self.body)}"'


def page(folder: Path = PAGE) -> APIRouter:
    """The routes of the page, whose files are read now. They are not in OpenAPI: programs have no use for them."""
    files = _read(folder)
    version = xxh3_128_hexdigest(b"".join(name.encode() + file.body for name, file in sorted(files.items())))
    index = files.pop(_INDEX)
    index = index._replace(body=index.body.replace(_VERSION, version.encode()))
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=_METHODS)
    async def html(request: Request) -> Response:
        return _answer(request, index, _ASKED_AGAIN)

    @router.api_route("/page/{asked}/{name:path}", methods=_METHODS)
    async def file(asked: str, name: str, request: Request) -> Response:
        """While another version takes this one's place, either may be asked for the other's files."""
        if name not in files:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return _answer(request, files[name], _KEPT if asked == version else _NOT_KEPT)

    return router


def _read(folder: Path) -> dict[str, _File]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): _File(path.read_bytes(), _MEDIA_TYPES.get(path.suffix, _OTHER))
        for path in paths
    }


def _answer(request: Request, file: _File, kept: str) -> Response:
    headers = {**_HEADERS, "Cache-Control": kept, "ETag": file.tag}
    if file.tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return Response(file.body, headers=headers, media_type=file.media_type)
