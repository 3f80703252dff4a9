import pytest
from typer.testing import CliRunner

from collector.cli import app


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--last", "5", "--from", "2026-11-24T09"], "give either --last or hours"),
        (["--last", "5", "--to", "2026-11-24T09"], "give either --last or hours"),
        (["--from", "2026-11-24T09", "--to", "2026-11-24T08"], "is after --to"),
        (["--from", "yesterday"], "an hour is YYYY-MM-DDTHH"),
        (["--last", "0"], "--last"),
    ],
)
def test_a_part_of_the_log_that_makes_no_sense_is_refused_before_anything_is_read(
    arguments: list[str], rule: str
) -> None:
    # Wide enough that no line is broken.
    ended = CliRunner().invoke(app, ["doctor", "producers", *arguments], env={"COLUMNS": "200"})

    assert ended.exit_code == 2
    assert rule in ended.output
