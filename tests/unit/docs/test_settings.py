"""The documents about settings say what the classes say."""

from pathlib import Path

from collector.commands.settings import SERVICES, all_settings, as_env, as_markdown

ROOT = Path(__file__).parents[3]


def test_every_setting_has_a_meaning_and_one_meaning_only() -> None:
    for service, kind in SERVICES.items():
        for field, info in kind.model_fields.items():
            assert info.description, f"{service}: {field} has no description"
    shared = [setting for setting in all_settings() if len(setting.defaults) > 1 and setting.name != "COLLECTOR_PORT"]
    assert shared
    for setting in shared:
        assert len(set(setting.defaults.values())) == 1, f"{setting.name} differs: {setting.defaults}"


def test_the_table_in_the_docs_is_what_the_command_prints() -> None:
    assert (ROOT / "docs/settings.md").read_text().endswith("\n".join(as_markdown()) + "\n")


def test_the_complete_example_is_what_the_command_prints() -> None:
    assert (ROOT / "deploy/settings.complete.env").read_text().endswith("\n".join(as_env()) + "\n")


def test_the_examples_set_only_what_exists() -> None:
    known = {setting.name for setting in all_settings()}
    for example in ("minimal", "complete"):
        lines = (ROOT / f"deploy/settings.{example}.env").read_text().splitlines()
        names = {line.partition("=")[0] for line in lines if not line.startswith("#")}
        assert names
        assert names <= known
