"""The folder that the gateway serves: the document, the page that shows it, and all that the page loads."""

import json
import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from fastapi.openapi.docs import get_swagger_ui_html

from deploy.gateway.pages.merge import merge_documents

_URL_OF_FILES: Final = "/docs/files"
_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")


def write_pages(folder: Path, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes `/openapi.json` and `/docs` of these services' documents; the page needs no Internet."""
    document = merge_documents(documents)
    files_folder = folder / "docs" / "files"
    files_folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        with as_file(files("fastapi_offline") / "static" / name) as source:
            shutil.copyfile(source, files_folder / name)
    (folder / "docs" / "index.html").write_bytes(_page(document["info"]["title"]))
    (folder / "openapi.json").write_text(json.dumps(document))


def _page(title: str) -> bytes:
    script, style, icon = (f"{_URL_OF_FILES}/{name}" for name in _FILES)
    page = get_swagger_ui_html(
        openapi_url="/openapi.json", title=title, swagger_js_url=script, swagger_css_url=style, swagger_favicon_url=icon
    )
    return bytes(page.body)
