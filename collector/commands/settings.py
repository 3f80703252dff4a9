"""`collector settings`: every setting of the services, with its default and meaning."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from aggregator.rollup.settings import RollupSettings
from aggregator.settings import AggregatorSettings
from ingest_api.settings import IngestSettings
from service.settings import duration_text
from stream_workers.settings import WorkerSettings

SERVICES: dict[str, type[BaseSettings]] = {
    "ingest_api": IngestSettings,
    "stream_workers": WorkerSettings,
    "aggregator": AggregatorSettings,
    "aggregator.rollup": RollupSettings,
}


class Setting(NamedTuple):
    """A setting as the environment names it; `defaults` by service: they differ for the port."""

    name: str
    meaning: str
    defaults: dict[str, str]


class Form(StrEnum):
    """The formats in which settings are shown."""

    MARKDOWN = "markdown"
    ENV = "env"


def all_settings() -> list[Setting]:
    """All settings, those that several services share first."""
    found: dict[str, Setting] = {}
    for service, kind in SERVICES.items():
        prefix = kind.model_config.get("env_prefix", "")
        for field, info in kind.model_fields.items():
            name = f"{prefix}{field}".upper()
            setting = found.setdefault(name, Setting(name, (info.description or "").rstrip("."), {}))
            setting.defaults[service] = _as_text(info)
    return sorted(
        found.values(), key=lambda setting: (-len(setting.defaults), list(SERVICES).index(next(iter(setting.defaults))))
    )


def _as_text(info: FieldInfo) -> str:
    default = info.default
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if default is None:
        return ""
    if isinstance(default, tuple):
        return ",".join(default)
    if isinstance(default, timedelta):
        return duration_text(default)
    return str(default).lower() if isinstance(default, bool) else str(default).removesuffix("/")


def as_markdown() -> Iterator[str]:
    """The lines of a table."""
    yield "| setting | default | of | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, meaning, defaults in all_settings():
        values = [f"`{value}`" if value else "none" for value in dict.fromkeys(defaults.values())]
        yield f"| `{name}` | {', '.join(values)} | {', '.join(defaults)} | {meaning} |"


def as_env() -> Iterator[str]:
    """The lines of a file of environment variables: every setting at its default."""
    for name, meaning, defaults in all_settings():
        yield f"# {meaning} ({', '.join(defaults)})"
        values = list(dict.fromkeys(defaults.values()))
        yield f"{name}={values[0]}" if len(values) == 1 else f"# {name}={' | '.join(values)}"


def settings(
    form: Annotated[Form, typer.Option("--as", help="A table, or a file of environment variables.")] = Form.MARKDOWN,
) -> None:
    """Shows every setting of the services, with its default and meaning."""
    for line in as_markdown() if form is Form.MARKDOWN else as_env():
        typer.echo(line)
