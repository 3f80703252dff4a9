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
    return any((ROOT / room / path).exists() for room in ROOMS) or any(ROOT.glob(f"*/**/{path}"))
