"""One OpenAPI document of both services' documents."""

import json
from collections.abc import Mapping
from typing import Any

_PROBES = ("/healthz", "/readyz", "/metrics")
"""Each process has these for itself; the door has its own."""


def merge_documents(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the services offer together, by the service's name. Equal names for unequal schemas get the service's."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "User actions collector", "version": "0"},
        "paths": {},
        "components": {"schemas": {}},
    }
    schemas = merged["components"]["schemas"]
    for service, original in documents.items():
        document = _with_own_names(service, original, schemas)
        merged["info"]["version"] = document["info"]["version"]
        schemas |= document.get("components", {}).get("schemas", {})
        for path, operations in document["paths"].items():
            if path not in _PROBES:
                merged["paths"].setdefault(path, {}).update(operations)
    return merged


def _with_own_names(service: str, document: Mapping[str, Any], taken: Mapping[str, Any]) -> Mapping[str, Any]:
    own = document.get("components", {}).get("schemas", {})
    clashing = [name for name in own if name in taken and taken[name] != own[name]]
    if not clashing:
        return document
    text = json.dumps(document)
    for name in clashing:
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{service}.{name}"')
    renamed: dict[str, Any] = json.loads(text)
    for name in clashing:
        renamed["components"]["schemas"][f"{service}.{name}"] = renamed["components"]["schemas"].pop(name)
    return renamed
