"""The folder that the gateway serves: the document, the page that shows it, and all that the page loads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.gateway.pages.merge import merge_documents
from service.web.documentation import loaded_files, page_titled


def write_pages(folder: Path, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes `/openapi.json` and `/docs` of these services' documents; the page needs no Internet."""
    document = merge_documents(documents)
    files_folder = folder / "docs" / "files"
    files_folder.mkdir(parents=True, exist_ok=True)
    for name, file in loaded_files().items():
        (files_folder / name).write_bytes(file.content)
    (folder / "docs" / "index.html").write_bytes(page_titled(document["info"]["title"]))
    (folder / "openapi.json").write_text(json.dumps(document))
