"""What Faust's app does by default, and ours does not."""

from pathlib import Path

import pytest

from stores.memory import MemoryStore
from stream_workers.app import build_app
from stream_workers.settings import WorkerSettings


def test_a_worker_makes_no_folder_wherever_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = build_app(WorkerSettings(), MemoryStore()).app
    app.finalize()

    app._create_directories()  # noqa: SLF001 # what Faust calls at its start

    assert list(tmp_path.iterdir()) == []


def test_a_worker_starts_no_producer_of_fausts() -> None:
    app = build_app(WorkerSettings(), MemoryStore()).app
    assert list(app.boot_strategy.kafka_producer()) == []
