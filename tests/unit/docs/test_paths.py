"""The documents name files, and the files are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("deploy/*.md")]
)
ROOMS = ("", "stream_workers/", "bench/", "deploy/", "aggregator/hours/")
"""Where a path may begin: a document may leave out the folder that it speaks of."""
MADE_LATER = {"results/"}
"""Folders that a command makes."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    missing = [path for path in paths_in(document.read_text()) if not is_there(document, path)]
    assert missing == []


def test_the_documents_name_paths() -> None:
    assert sum(1 for document in DOCUMENTS for _ in paths_in(document.read_text())) > 50


def paths_in(text: str) -> Iterator[str]:
    for quoted in re.findall(r"`([^`\n ]+)`", text):
        if quoted not in MADE_LATER and re.fullmatch(r"[\w./-]+\.(py|md|yaml|env|toml|lock)|([\w-]+/)+", quoted):
            yield quoted
    yield from (link for link in re.findall(r"\]\(([^)#:]+)\)", text))


def is_there(document: Path, path: str) -> bool:
    if (document.parent / path).exists():
        return True
    # Not in hidden folders: the packages in .venv have a file of nearly any name.
    own = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    return any((ROOT / room / path).exists() for room in ROOMS) or any(
        found for folder in own for found in folder.glob(f"**/{path}")
    )


def test_a_path_that_nothing_has_is_missed() -> None:
    assert not is_there(ROOT / "README.md", "stream_workers/partition/window_slot.py")
    assert not is_there(ROOT / "README.md", "httptools_impl.py")
