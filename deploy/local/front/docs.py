"""The page that shows the OpenAPI document. All that it loads is served from here: it works without the Internet."""

from typing import Final

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_FILES: Final = "/docs/files"


def docs_routes(openapi_url: str, title: str) -> list[BaseRoute]:
    """`/docs`, and Swagger UI's own files as fastapi-offline packs them."""

    async def docs(_: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url=openapi_url,
            title=title,
            swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{_FILES}/swagger-ui.css",
            swagger_favicon_url=f"{_FILES}/favicon.png",
        )

    return [Route("/docs", docs), Mount(_FILES, StaticFiles(packages=[("fastapi_offline", "static")]))]
