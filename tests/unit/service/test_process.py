"""What a process of ours does once."""

import json
import logging

import pytest

from service.process import configure_logging
from service.settings import ProcessSettings


def logging_alone(monkeypatch: pytest.MonkeyPatch, settings: ProcessSettings) -> None:
    """As in a process that nobody has configured: the test runner puts handlers of its own there."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    configure_logging(settings)


def test_a_setting_makes_each_line_of_the_log_an_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_LOG_FORMAT", "json")
    logging_alone(monkeypatch, ProcessSettings())
    logging.getLogger("a.library").info("one\ntwo", extra={"partition": 3})
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"logger": "a.library", "message": "one\ntwo", "partition": 3}.items()


def test_it_is_text_by_default(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    logging_alone(monkeypatch, ProcessSettings())
    logging.getLogger("a.library").info("one")
    assert capsys.readouterr().err.endswith(" INFO a.library one\n")
