"""The drawing at the top of contract/errors.py is complete and true."""

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from contract import errors

ROOT = Path(__file__).parents[3]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
# Programs of their own, some for libraries that are not installed here; they raise nothing of ours.
PROGRAMS = re.compile(r"\.__main__$|^bench\.baselines\.")


class Drawn(NamedTuple):
    name: str
    parent: str | None
    module: str


def drawing(text: str) -> Iterator[Drawn]:
    above: list[str] = []
    for line in re.findall(r"^(?:[│├└ ].*── .*|CollectorError)$", text, re.MULTILINE):
        branch, name, module = re.fullmatch(r"([│├└─ ]*)(\w+)(?: +([\w.]+\.\w+):)?.*", line).groups()
        depth = len(branch) // 4
        del above[depth:]
        yield Drawn(name, above[-1] if above else None, module or "contract.errors")
        above.append(name)


def modules_of(package: str) -> Iterator[str]:
    found = importlib.import_module(package)
    yield package
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not PROGRAMS.search(module.name):
            importlib.import_module(module.name)
            yield module.name


def subclasses(base: type) -> Iterator[type]:
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.fixture(scope="module")
def defined() -> set[Drawn]:
    """All errors of the packages; those with a private name never leave their module."""
    modules = {module for package in PACKAGES for module in modules_of(package)}
    return {
        Drawn(one.__name__, None if one is errors.CollectorError else one.__bases__[0].__name__, one.__module__)
        for one in subclasses(BaseException)
        if one.__module__ in modules and not one.__name__.startswith("_")
    }


def test_each_error_of_ours_stands_in_the_drawing_under_its_base_and_with_its_module(defined: set[Drawn]) -> None:
    drawn = list(drawing(errors.__doc__ or ""))

    assert len(drawn) == len(set(drawn))
    assert set(drawn) == defined


def test_errors_of_each_package_that_defines_some_are_found(defined: set[Drawn]) -> None:
    """Else the comparison would pass by finding too little."""
    found = {one.module.partition(".")[0] for one in defined}

    assert found >= {"contract", "ingest_api", "stream_workers", "aggregator", "collector", "deploy"}
