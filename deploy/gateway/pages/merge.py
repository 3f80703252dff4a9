"""One OpenAPI document of both services' documents."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

_OF_ONE_PROCESS: Final = ("/healthz", "/readyz", "/metrics")
"""Each process answers these on its own port."""

_TITLE: Final = "User actions collector"
_SCHEMA: Final = "#/components/schemas/"


def merge_documents(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the gateway offers, from each service's document by its name.

    Where two services have different schemas under one name, the service becomes the name's first word.
    """
    routed = {service: _routed(document) for service, document in documents.items()}
    clashing = _clashing([_schemas(document) for document in routed.values()])
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": "0"},
        "paths": {},
        "components": {"schemas": {}},
    }
    for service, document in routed.items():
        own = _renamed(document, {name: service.capitalize() + name for name in clashing})
        merged["info"] |= {key: own["info"][key] for key in ("version", "description") if key in own["info"]}
        merged["components"]["schemas"] |= _schemas(own)
        if schemes := document["components"]["securitySchemes"]:
            merged["components"].setdefault("securitySchemes", {}).update(schemes)
        for path, operations in own["paths"].items():
            merged["paths"].setdefault(path, {}).update(operations)
    return merged


def _routed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what only a process's own port answers, and without schemas that nothing refers to then."""
    paths = {path: operations for path, operations in document["paths"].items() if path not in _OF_ONE_PROCESS}
    schemas = _schemas(document)
    needed = _referred(paths, schemas)
    kept = {name: schema for name, schema in schemas.items() if name in needed}
    schemes = document.get("components", {}).get("securitySchemes", {})
    return {
        "info": document["info"],
        "paths": paths,
        "components": {"schemas": kept, "securitySchemes": schemes},
    }


def _referred(value: object, schemas: Mapping[str, Any]) -> set[str]:
    """The schemas that `value` refers to, and those that these refer to."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        text = json.dumps(waiting.pop())
        new = {name for name in schemas if f'"{_SCHEMA}{name}"' in text} - found
        found |= new
        waiting += [schemas[name] for name in new]
    return found


def _clashing(of_services: Collection[Mapping[str, Any]]) -> set[str]:
    names = {name for schemas in of_services for name in schemas}
    return {name for name in names if len({json.dumps(one[name]) for one in of_services if name in one}) > 1}


def _renamed(document: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    text = json.dumps(document)
    for old, new in names.items():
        text = text.replace(f'"{_SCHEMA}{old}"', f'"{_SCHEMA}{new}"')
    renamed: dict[str, Any] = json.loads(text)
    renamed["components"]["schemas"] = {names.get(name, name): one for name, one in _schemas(renamed).items()}
    return renamed


def _schemas(document: Mapping[str, Any]) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
    return schemas
